/** Calm and dense: made for 1366 × 768 on a noisy site. Colours of verdicts and GPUs are in app.css, the same everywhere. */
import { createTheme } from '@mantine/core';

export const theme = createTheme({
  fontFamily: 'system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif',
  fontFamilyMonospace: '"DejaVu Sans Mono", ui-monospace, Menlo, Consolas, monospace',
  primaryColor: 'blue',
  // The lightest on which white can be read.
  primaryShade: 8,
  defaultRadius: 'sm',
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
  spacing: { xs: '0.375rem', sm: '0.5rem', md: '0.75rem', lg: '1rem', xl: '1.5rem' },
  cursorType: 'pointer',
  focusRing: 'always',
  components: {
    // Its empty first child is no item, and a menu may hold items only.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false, transitionProps: { duration: 0 } } },
    Modal: {
      defaultProps: { transitionProps: { duration: 0 } },
      styles: { title: { fontWeight: 700, fontSize: '1rem' } },
    },
    Tooltip: { defaultProps: { transitionProps: { duration: 0 } } },
  },
});
