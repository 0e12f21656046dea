import type { Page } from 'playwright-core'
import { test } from 'tap'
import { chromiumMissing } from '../../helpers/chromium.ts'
import { dashboardEvents } from '../../helpers/dashboard-events.ts'
import { openDashboard } from '../../helpers/dashboard-page.ts'
import { until } from '../../helpers/until.ts'

const skip = { skip: chromiumMissing }
const key = 'k-0123456789abcdef'

/** A script that makes the page hidden, or visible. */
const visibility = (isHidden: boolean) =>
  `Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${isHidden} })`
const changed = 'document.dispatchEvent(new Event("visibilitychange"))'
const phaseOf = (page: Page) => page.evaluate<string>('document.documentElement.dataset.phase')

test('a page that was hidden marks its numbers as old until it has new ones', skip, async t => {
  const served = await dashboardEvents(t, { scenario: 'healthy' })
  const { page } = await openDashboard(t, served.url, { hasClock: true })
  await page.evaluate(`${visibility(true)}; ${changed}`)
  await page.clock.fastForward(61_000)
  await until(async () => (await phaseOf(page)) === 'hidden')
  const held = Promise.withResolvers<() => Promise<void>>()
  await page.route('**/dashboard/events', route => held.resolve(() => route.continue()))
  await page.evaluate(`${visibility(false)}; ${changed}`)
  const goOn = await held.promise
  t.equal(await phaseOf(page), 'connecting')
  t.equal(await page.locator('#main').getAttribute('aria-disabled'), 'true')
  await page
    .locator('#banner', { hasText: /No connection since .* The numbers below are .* old\. Connecting…/ })
    .waitFor()
  await goOn()
  await until(async () => (await phaseOf(page)) === 'live')
  t.equal(await page.locator('#main').getAttribute('aria-disabled'), null)
  t.ok(await page.locator('#banner').isHidden())
})

test('a page that opens in the background closes its connection after a minute', skip, async t => {
  const served = await dashboardEvents(t, { scenario: 'healthy' })
  const { page } = await openDashboard(t, served.url, { hasClock: true, isEmpty: true, before: visibility(true) })
  await until(async () => (await phaseOf(page)) === 'live')
  await page.clock.fastForward(61_000)
  await until(() => served.readers === 0)
  t.equal(await phaseOf(page), 'hidden')
})

test('numbers stay hidden after their key is forgotten, also without a connection', skip, async t => {
  const served = await dashboardEvents(t, { scenario: 'healthy', key })
  const { page } = await openDashboard(t, served.url, { isEmpty: true })
  await page.locator('#key').fill(key)
  await page.keyboard.press('Enter')
  await page.locator('.tile').first().waitFor()
  await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Forget key' }).click()])
  await page.locator('#key').waitFor()
  t.equal(await page.locator('.tile').count(), 0, 'the numbers are not in the page')
  await page.route('**/dashboard/events', route => route.abort())
  await page.locator('#key').fill('x')
  await page.keyboard.press('Enter')
  await page.locator('#banner').getByText('No connection').waitFor()
  t.ok(await page.locator('#main').isHidden())
})

test('numbers stay hidden after the service has refused their key, until it has accepted one', skip, async t => {
  const served = await dashboardEvents(t, { scenario: 'healthy', key })
  const { page } = await openDashboard(t, served.url, { isEmpty: true })
  await page.locator('#key').fill(key)
  await page.keyboard.press('Enter')
  await page.locator('.tile').first().waitFor()
  await page.locator('a.explain').first().click()
  await page.locator('#explanation').waitFor()
  await page.route('**/dashboard/events', route => route.fulfill({ status: 401 }))
  served.lose()
  served.comeBack()
  await page.locator('#key').waitFor()
  t.ok(await page.locator('#explanation').isHidden(), 'an open explanation is closed')
  await page.unroute('**/dashboard/events')
  served.lose()
  await page.locator('#key').fill('x')
  await page.keyboard.press('Enter')
  await page.locator('#banner').getByText('No connection').waitFor()
  t.ok(await page.locator('#main').isHidden())
  served.comeBack()
  await page.locator('#key').fill(key)
  await page.keyboard.press('Enter')
  await page.locator('.tile').first().waitFor()
})

test('a browser that blocks the storage keeps the key until the page is closed', skip, async t => {
  const served = await dashboardEvents(t, { scenario: 'healthy', key })
  const blocked = `for (const name of ['sessionStorage', 'localStorage'])
    Object.defineProperty(window, name, { get: () => { throw new DOMException('blocked', 'SecurityError') } })`
  const { page } = await openDashboard(t, served.url, { isEmpty: true, before: blocked })
  await page.locator('#key').fill(key)
  await page.keyboard.press('Enter')
  await page.locator('.tile').first().waitFor()
  await page.reload()
  await page.locator('#key').waitFor()
  t.ok(await page.locator('#main').isHidden(), 'a reload forgets the key')
  await page.locator('#key').fill(key)
  await page.keyboard.press('Enter')
  await page.locator('.tile').first().waitFor()
  await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Forget key' }).click()])
  await page.locator('#key').waitFor()
})

test('a lost connection is announced once, not at each try', skip, async t => {
  const served = await dashboardEvents(t, { scenario: 'healthy' })
  const { page } = await openDashboard(t, served.url, { hasClock: true })
  await page.evaluate(`globalThis.said = []; new MutationObserver(() =>
    said.push(document.querySelector('#announcer').textContent)
  ).observe(document.querySelector('#announcer'), { childList: true })`)
  served.lose()
  for (let tries = 4; tries > 0; tries--) {
    await page.locator('#banner').getByText('Next try in').waitFor()
    await page.clock.runFor(9500)
  }
  const said = await page.evaluate<string[]>('said')
  t.equal(said.filter(sentence => sentence === 'The connection to the service is lost.').length, 1)
})
