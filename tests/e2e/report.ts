/** The exported report, opened as the customer opens it: the file alone, in a browser of its own. */
import type { Page } from '@playwright/test';
import type { OpenWindow } from './window.ts';

/** Opens the file in a second window, without the app's page or its preload. Close it after use. */
export async function openReport({ app }: OpenWindow, path: string): Promise<Page> {
  const [page] = await Promise.all([
    app.waitForEvent('window'),
    app.evaluate(({ BrowserWindow }, file) => {
      const viewer = new BrowserWindow({ width: 1100, height: 768, webPreferences: { sandbox: true } });
      void viewer.loadFile(file);
    }, path),
  ]);
  await page.waitForLoadState();
  return page;
}
