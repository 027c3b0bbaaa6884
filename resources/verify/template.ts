/** In place of main/services/report/template.ts: the files are in the bundle, where a browser has no disk. */
import script from '../report/report.js?text';
import page from '../report/page.html?text';
import style from '../report/report.css?text';

const FILES = { 'page.html': page, 'report.css': style, 'report.js': script } as const;

export const template = (name: keyof typeof FILES): string => FILES[name];
