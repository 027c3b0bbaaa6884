/** Takes apart what shellQuote put together: the app's command lines, and nothing a real shell might read otherwise. */

/** The words of a command line that is made of plain words and single quotes only; null for any other. */
export function shellWords(command: string): string[] | null {
  const words: string[] = [];
  let at = 0;
  while (at < command.length) {
    let word = '';
    const begun = at;
    while (at < command.length && command[at] !== ' ') {
      const rest = command.slice(at);
      const plain = /^[A-Za-z0-9_/:.,@+=-]+/.exec(rest)?.[0];
      const quoted = /^'([^']*)'/.exec(rest);
      if (plain !== undefined) {
        word += plain;
        at += plain.length;
      } else if (quoted) {
        word += quoted[1] ?? '';
        at += quoted[0].length;
      } else if (rest.startsWith("\\'")) {
        word += "'";
        at += 2;
      } else return null;
    }
    if (at === begun) return null;
    words.push(word);
    at += 1;
  }
  return words;
}
