/** What a browser has and jsdom has not, as far as the component library asks for it. Every test leaves an empty page. */
import { cleanup } from '@testing-library/react';
import { afterEach } from 'vitest';

afterEach(cleanup);

class Sizes implements ResizeObserver {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

window.ResizeObserver = Sizes;
window.HTMLElement.prototype.scrollIntoView = () => undefined;
window.HTMLElement.prototype.scrollTo = () => undefined;
// jsdom lays nothing out; what is hidden here is so by its own or a parent's style.
const displayed = (element: Element): boolean =>
  window.getComputedStyle(element).display !== 'none' &&
  (element.parentElement === null || displayed(element.parentElement));
window.Element.prototype.checkVisibility = function (this: Element) {
  return displayed(this);
};
window.matchMedia = (query) => ({
  matches: false,
  media: query,
  onchange: null,
  addListener: () => undefined,
  removeListener: () => undefined,
  addEventListener: () => undefined,
  removeEventListener: () => undefined,
  dispatchEvent: () => false,
});
Object.defineProperty(document, 'fonts', { value: new EventTarget() });
