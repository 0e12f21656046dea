import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'
import type { Test } from 'tap'

const executablePath = '/usr/bin/chromium'

/** Why a test with a browser is skipped, or `false`; where every test must run, a missing browser is a failure. */
export const chromiumMissing = missing()

/** Starts Chromium without requests of its own, with further arguments. It ends with the test. */
export async function launchChromium(t: Test, args: readonly string[] = []): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...args,
    ],
  })
  t.teardown(() => browser.close())
  return browser
}

function missing(): string | false {
  if (existsSync(executablePath)) return false
  const reason = `no browser: ${executablePath} is not there (Debian: apt-get install --no-install-recommends chromium fonts-dejavu-core)`
  if (process.env.HEADWATERS_TEST_ALL === '1')
    throw new Error(`HEADWATERS_TEST_ALL=1 allows no skipped test, and there is ${reason}`)
  return reason
}
