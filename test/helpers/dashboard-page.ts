import type { BrowserContextOptions, Page } from 'playwright-core'
import type { Test } from 'tap'
import { launchChromium } from './chromium.ts'

/** The dashboard in a browser. */
export interface OpenDashboard {
  readonly page: Page
  /** What a page must not do: errors, violations of its policy and requests to other origins. */
  readonly problems: () => Promise<readonly string[]>
}

export interface OpenOptions extends BrowserContextOptions {
  /** Whether a page that has no numbers yet is returned. @default false */
  readonly isEmpty?: boolean
  /** Further arguments of the browser. @default none */
  readonly args?: readonly string[]
  /** A script that runs before those of the page. @default none */
  readonly before?: string
  /** True if the test sets the clock of the page. @default false */
  readonly hasClock?: boolean
}

/** Opens the dashboard, and waits for its first numbers. */
export async function openDashboard(
  t: Test,
  url: string,
  { isEmpty = false, args = [], before, hasClock = false, ...options }: OpenOptions = {},
): Promise<OpenDashboard> {
  const browser = await launchChromium(t, args)
  const viewport = { width: 1280, height: 900 }
  const page = await browser.newPage({ viewport, serviceWorkers: 'block', timezoneId: 'UTC', ...options })
  page.setDefaultTimeout(30_000)
  const problems: string[] = []
  page.on('console', message => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`)
  })
  page.on('pageerror', error => problems.push(`error: ${error.message}`))
  page.on('request', request => {
    const { protocol, origin } = new URL(request.url())
    if (protocol !== 'data:' && origin !== new URL(url).origin) problems.push(`request: ${request.url()}`)
  })
  await page.addInitScript(
    'globalThis.violations = []; document.addEventListener("securitypolicyviolation", e => ' +
      'violations.push(`policy: ${e.violatedDirective} ${e.blockedURI}`))',
  )
  if (before !== undefined) await page.addInitScript(before)
  if (hasClock) await page.clock.install()
  await page.goto(url)
  if (!isEmpty) await page.locator('.tile, .chip').first().waitFor()
  return { page, problems: async () => [...problems, ...(await page.evaluate<string[]>('violations'))] }
}
