/** What the practice box reads out of command lines is what the app put in, and nothing that a shell would read otherwise. */
import { describe, expect, it } from 'vitest';
import { shellQuote } from '../../../main/remote/connection.ts';
import { shellWords } from '../../../main/remote/practice/words.ts';

describe('words of a command line', () => {
  it.each([
    [['env', 'LC_ALL=C', 'sh', '-c', 'echo "$1" | cat; exit 3', 'sh', '~/a b/c']],
    [["it's", "''", 'a\nb', '$HOME', '*', '', '#x', 'ü']],
    [['python3', '-I', '-c', 'print("a")\nprint(\'b\')']],
  ])('come back as they were quoted: %j', (words) => {
    expect(shellWords(shellQuote(words))).toEqual(words);
  });

  it.each(['a; b', 'a && b', 'a | b', '$(id)', '`id`', 'a > b', '"a"', "a 'b", 'a  b', 'a\nb', '\\a'])(
    'are none where a shell would do more: %j',
    (command) => {
      expect(shellWords(command)).toBeNull();
    },
  );
});
