/** Hands that have a keyboard only. Wherever Tab takes them, the focus must be seen. */
import type { Page } from '@playwright/test';
import { expect } from 'vitest';

/** What holds the focus: its role and name, as a screen reader says them, and how the focus shows. */
interface Focus {
  role: string;
  name: string;
  /** What shows it: an outline, a border in the app's colour, a menu's bar, a terminal's cursor; empty for nothing. */
  shownBy: string;
  /** Whether it lies within the window. */
  inside: boolean;
}

/** In the page: what is focused. The library draws some parts beside the element that has the focus, or around it. */
const LOOK = `(() => {
  const at = document.activeElement;
  if (!at || at === document.body) return { role: 'body', name: '', shownBy: '', inside: false };
  // Colours that are on their way are where they go to.
  document.getAnimations().forEach((a) => a instanceof CSSTransition && a.finish());
  const rgb = (colour) => {
    const probe = document.createElement('i');
    probe.style.color = colour;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };
  const primary = rgb(getComputedStyle(document.documentElement).getPropertyValue('--mantine-primary-color-filled'));
  const around = [at, at.nextElementSibling, at.parentElement, at.parentElement?.parentElement].filter(Boolean);
  const outlined = around.some((e) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(e);
    return outlineStyle !== 'none' && outlineWidth !== '0px';
  });
  const bordered = around.some((e) => getComputedStyle(e).borderTopColor === primary);
  const shownBy = at.closest('.xterm.focus') ? 'cursor'
    : outlined ? 'outline'
    : at.matches('input, textarea') && bordered ? 'border'
    : at.matches('[role="menuitem"]') && getComputedStyle(at).backgroundColor !== 'rgba(0, 0, 0, 0)' ? 'bar'
    : '';
  const by = at.getAttribute('aria-labelledby')?.split(' ').map((id) => document.getElementById(id)?.textContent).join(' ');
  const text = (e) => {
    const copy = e.cloneNode(true);
    copy.querySelectorAll('[aria-hidden="true"]').forEach((hidden) => hidden.remove());
    return copy.textContent;
  };
  const name = at.getAttribute('aria-label') ?? by ?? text(at.labels?.[0] ?? at);
  const box = at.getBoundingClientRect();
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return { role: at.getAttribute('role') ?? at.type ?? at.tagName.toLowerCase(), name: name.trim(), shownBy, inside };
})()`;

const ROUND = 80;

export class Keys {
  readonly #page: () => Page;

  constructor(page: () => Page) {
    this.#page = page;
  }

  focus(): Promise<Focus> {
    return this.#page().evaluate<Focus>(LOOK);
  }

  async press(...keys: string[]): Promise<void> {
    for (const key of keys) await this.#page().keyboard.press(key);
  }

  type(text: string): Promise<void> {
    return this.#page().keyboard.type(text);
  }

  /** Tab (or `key`) until what is named so has the focus. Everything on the way shows that it has it. */
  async to(
    name: string | RegExp,
    key: 'Tab' | 'Shift+Tab' | 'ArrowDown' | 'ArrowRight' = 'Tab',
  ): Promise<void> {
    const passed: string[] = [];
    const fits = (now: Focus) => (typeof name === 'string' ? now.name === name : name.test(now.name));
    for (let n = 0; n < ROUND; n++) {
      await this.press(key);
      const now = await this.focus();
      // From the last thing on the page Tab goes through its frame once.
      if (now.role === 'body') continue;
      expect(now, `the focus after ${key}`).toMatchObject({ inside: true });
      expect(now.shownBy, `what shows the focus of ${now.role} "${now.name}"`).not.toBe('');
      if (fits(now)) return;
      passed.push(now.name.split('\n')[0] ?? '');
    }
    throw new Error(`${key} does not lead to ${String(name)}, but to ${passed.join(' | ')}`);
  }

  /** Goes to it and presses it. */
  async act(name: string | RegExp): Promise<void> {
    await this.to(name);
    await this.press('Enter');
  }

  /** By its letters out of the list of commands. */
  async command(letters: string): Promise<void> {
    await this.press('Control+k');
    await this.#page().getByRole('combobox', { name: 'Command' }).waitFor();
    await this.type(letters);
    await this.press('Enter');
  }
}
