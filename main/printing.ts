/** What the command line and the Electron that it starts to print agree on. */

/** `--print-report=FOLDER`: no window is shown; the page in the folder is printed into it. */
export const PRINT_SWITCH = 'print-report';
export const TO_PRINT = 'page.html';
export const PRINTED = 'page.pdf';
/** `--print-paper=A4` or `Letter`. */
export const PAPER_SWITCH = 'print-paper';
