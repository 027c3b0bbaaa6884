/** A button that cannot be pressed must say why. */
import { screen } from '@testing-library/react';
import { expect } from 'vitest';

expect.extend({
  toBeDisabledWith(button: HTMLButtonElement, why: string) {
    const said = screen.queryByText(why) !== null;
    return {
      pass: button.disabled && said,
      message: () =>
        `expected a disabled button with "${why}" beside it: disabled ${button.disabled}, said ${said}`,
    };
  },
});

declare module 'vitest' {
  interface Matchers<T> {
    toBeDisabledWith: (why: string) => T;
  }
}
