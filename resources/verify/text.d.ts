/** A file as text (scripts/build-verify.mjs). */
declare module '*?text' {
  const text: string;
  export default text;
}
declare const __APP_VERSION__: string;
