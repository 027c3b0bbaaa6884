/** A dialog that is gone leaves the focus where it was before, unless it has a new place by then. */
import { useEffect, useRef } from 'react';

export function useReturnFocus(open: boolean): void {
  const before = useRef<Element | null>(null);
  // While this is rendered the dialog is not on the page yet, and has not taken the focus.
  if (open) before.current ??= document.activeElement;
  useEffect(() => {
    if (!open) return undefined;
    return () => {
      const at = before.current;
      before.current = null;
      if (document.activeElement === document.body && at instanceof HTMLElement) at.focus();
    };
  }, [open]);
}
