// Folding and filtering only; the page is complete without it.
const tools = document.querySelector('.tools');
const checks = () => document.querySelectorAll('details.check');
const acts = {
  open: () => checks().forEach((d) => (d.open = true)),
  close: () => checks().forEach((d) => (d.open = false)),
  odd: (button) => {
    const on = document.body.classList.toggle('odd-only');
    button.setAttribute('aria-pressed', String(on));
  },
};
tools.hidden = false;
tools.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button) acts[button.dataset.do](button);
});
