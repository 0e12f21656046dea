import type { Page } from 'playwright-core'
import { test, type Test } from 'tap'
import { mostShown } from '../../../src/dashboard/model/shown-runs.ts'
import { chromiumMissing } from '../../helpers/chromium.ts'
import { dashboardEvents, type DashboardEventsOptions } from '../../helpers/dashboard-events.ts'
import { openDashboard } from '../../helpers/dashboard-page.ts'
import { until } from '../../helpers/until.ts'

const skip = chromiumMissing

async function arrange(t: Test, search = '', options: Partial<DashboardEventsOptions> = {}) {
  const served = await dashboardEvents(t, { scenario: 'failing', ...options })
  const { page, problems } = await openDashboard(t, `${served.url}${search}`)
  await page.locator('.run').first().waitFor()
  return { served, page, problems }
}

const searchOf = (page: Page) => new URL(page.url()).search
/** Returns a value of each row in the list. */
const valuesOf = (page: Page, name: 'run' | 'state') =>
  page.evaluate<string[]>(`Array.from(document.querySelectorAll('.run-link'), link => link.dataset.${name})`)
const idsOf = (page: Page) => valuesOf(page, 'run')
const statesOf = async (page: Page) => new Set(await valuesOf(page, 'state'))
const focusedRun = 'document.activeElement.dataset.run'
const status = (page: Page, start: string) =>
  page.locator('.runs-status', { hasText: new RegExp(`^${start}`) }).waitFor()

test('the list follows the events with at most 200 rows, whose nodes are used again', { skip }, async t => {
  const { served, page, problems } = await arrange(t)
  await served.replay(20_000)
  await until(async () => (await page.locator('.run').count()) === mostShown)
  await page.evaluate("document.querySelectorAll('.run').forEach(row => (row.dataset.old = true))")
  const before = await idsOf(page)
  await served.replay(20_000)
  await until(async () => (await idsOf(page))[0] !== before[0])
  const after = await idsOf(page)
  t.equal(after.length, mostShown)
  t.equal(new Set(after).size, mostShown, 'a run is there once')
  t.equal(await page.locator('.run[data-old]').count(), mostShown, 'no node is created for a new run')
  t.same(await problems(), [])
})

test('the filters are in the address, and an address has its filters', { skip }, async t => {
  const { page } = await arrange(t)
  await page.getByRole('button', { name: 'Failed' }).click()
  await page.locator('#run-aggregate').selectOption('cart')
  await page.locator('#run-min').fill('50')
  await until(() => searchOf(page) === '?state=failed&aggregate=cart&min=50')
  t.same(await statesOf(page), new Set(['failed']))
  t.same(new Set(await page.locator('.run-name').allTextContents()), new Set(['cart']))
  const counted = await page.locator('.run').count()
  await page.reload()
  await page.locator('.run').first().waitFor()
  t.equal(searchOf(page), '?state=failed&aggregate=cart&min=50')
  t.equal(await page.getByRole('button', { name: 'Failed' }).getAttribute('aria-pressed'), 'true')
  t.equal(await page.locator('#run-aggregate').inputValue(), 'cart')
  t.equal(await page.locator('#run-min').inputValue(), '50')
  t.ok((await page.locator('.run').count()) >= counted - 1)
  t.same(await statesOf(page), new Set(['failed']))
  await page.getByRole('button', { name: 'Clear filters' }).click()
  t.equal(searchOf(page), '')
  await page.locator('.run-link[data-state=complete]').first().waitFor()
})

test('a filter without runs says so, and one by a text finds a run by its request id', { skip }, async t => {
  const served = await dashboardEvents(t, { scenario: 'failing' })
  const { page } = await openDashboard(t, `${served.url}?text=no-such-run`)
  await page.locator('.runs-empty', { hasText: 'None of the newest 200 kept runs passes the filters.' }).waitFor()
  t.equal(await page.locator('.run').count(), 0)
  const run = [...served.fleet.kept.values()].findLast(({ state }) => state === 'failed')
  await page.locator('#run-text').fill(run?.requestId ?? '')
  await page.locator(`.run-link[data-run="${run?.id}"]`).waitFor()
  t.ok((await page.locator('.run').count()) < 20)
})

test('a pause stops the list, and new runs are counted', { skip }, async t => {
  const { served, page } = await arrange(t)
  await page.getByRole('button', { name: 'Pause' }).click()
  const before = await idsOf(page)
  await served.replay(5000)
  await page.locator('.runs-status', { hasText: /^Paused: .*, [1-9]\d* new$/ }).waitFor()
  t.same(await idsOf(page), before)
  await page.getByRole('button', { name: 'Resume' }).click()
  await status(page, 'Live')
  t.not((await idsOf(page))[0], before[0])
})

test('the list stands still below the pointer and the focus', { skip }, async t => {
  const { served, page } = await arrange(t)
  await page.locator('.run-link').nth(2).hover()
  await status(page, 'Held')
  const before = await idsOf(page)
  await served.replay(5000)
  await page.locator('.runs-status', { hasText: /^Held: .*, [1-9]\d* new$/ }).waitFor()
  t.same(await idsOf(page), before)
  await page.mouse.move(1, 1)
  await status(page, 'Live')
  await page.locator('.run-link').nth(2).focus()
  await status(page, 'Held')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowUp')
  const focused = await page.evaluate<string>(focusedRun)
  t.equal(focused, (await idsOf(page))[3])
})

test('a run opens by the keyboard, closes with Escape, and is in the history', { skip }, async t => {
  const { page, problems } = await arrange(t, '?state=failed')
  const link = page.locator('.run-link').nth(1)
  const id = await link.getAttribute('data-run')
  await link.focus()
  await page.keyboard.press('Enter')
  await page.locator('.fall').waitFor()
  t.equal(searchOf(page), `?state=failed&run=${id}`)
  t.equal(await page.evaluate<string>('document.activeElement.id'), 'open-run', 'the focus is on the title of the run')
  t.equal(await page.locator('.run-link[aria-current]').getAttribute('data-run'), id)
  const sentences = await page.locator('.fall-steps > li .unseen').allTextContents()
  t.ok(sentences.length > 1)
  for (const sentence of sentences) t.match(sentence, /^[\w-]+ \(\w+(?:, after [\w- ]+)?\): .+\.$/)
  await page.keyboard.press('Escape')
  t.equal(searchOf(page), '?state=failed')
  t.ok(await page.locator('.open-run').isHidden())
  t.equal(await page.evaluate<string>(focusedRun), id, 'the focus is back')
  await page.goBack()
  await page.locator('.fall').waitFor()
  t.equal(searchOf(page), `?state=failed&run=${id}`)
  await page.reload()
  await page.locator('.fall').waitFor()
  t.same(await problems(), [])
})

test('older runs are read from the service, and the list comes back to the live runs', { skip }, async t => {
  const { served, page } = await arrange(t)
  await page.getByRole('button', { name: 'Pause' }).click()
  const rows = await page.locator('.run').count()
  const oldest = (await idsOf(page)).at(-1) ?? ''
  await page.getByRole('button', { name: 'Older runs' }).click()
  await page.locator('.runs-status', { hasText: /^Older|No older run is kept/ }).waitFor()
  const at = (id: string) => served.fleet.kept.get(id)?.at ?? ''
  const ids = await idsOf(page)
  t.ok(rows > 0)
  if (ids.at(-1) !== oldest) t.ok(ids.every(id => at(id) < at(oldest)))
  await page.getByRole('button', { name: /Resume|Back to live/ }).click()
  await status(page, 'Live')
})

test('older runs are found also if none of the newest 200 passes the filters', { skip }, async t => {
  const served = await dashboardEvents(t, { scenario: 'failing' })
  const wanted = [...served.fleet.kept.keys()].at(-1200) ?? ''
  const { page } = await openDashboard(t, `${served.url}?text=${wanted.slice(0, -1)}`)
  await page.locator('.runs-empty', { hasText: 'None of the newest 200 kept runs passes the filters.' }).waitFor()
  await page.getByRole('button', { name: 'Older runs' }).click()
  await status(page, 'Older: 1 run')
  t.same(await idsOf(page), [wanted])
})

test('filters that the whole list of kept runs was read with say so', { skip }, async t => {
  const served = await dashboardEvents(t, { scenario: 'failing' })
  const { page } = await openDashboard(t, `${served.url}?min=86400000`)
  await page.locator('.runs-empty', { hasText: 'No kept run passes the filters.' }).waitFor()
  t.equal(await page.locator('.run').count(), 0)
})

test('a paused list stays paused when the user skips to the upstreams', { skip }, async t => {
  const { page } = await arrange(t)
  await page.getByRole('button', { name: 'Pause' }).click()
  await status(page, 'Paused')
  await page.locator('a.skip').focus()
  await page.keyboard.press('Enter')
  await until(() => page.url().endsWith('#upstreams'))
  await page.evaluate('new Promise(requestAnimationFrame)')
  t.match(await page.locator('.runs-status').innerText(), /^Paused/)
})

test('an open run says how long it took and its deadline', { skip }, async t => {
  const served = await dashboardEvents(t, { scenario: 'failing' })
  const [id = '', run] = [...served.fleet.kept].at(-1) ?? []
  if (run === undefined) throw new Error('there is no run')
  served.fleet.kept.set(id, { ...run, ms: 812, deadline: 800 })
  const { page } = await openDashboard(t, `${served.url}?run=${id}`)
  await page.locator('.open-run-summary', { hasText: '812 ms; deadline 800 ms' }).waitFor()
  t.pass('it is not 812 of 800')
})

test('a run that is not kept any more says so', { skip }, async t => {
  const { page } = await arrange(t, '?run=7e1a0000-0000-4000-8000-000000000001')
  await page.locator('.open-run-note', { hasText: 'not kept any more' }).waitFor()
  await page.getByRole('button', { name: 'Close', exact: true }).click()
  t.ok(await page.locator('.open-run').isHidden())
  t.equal(searchOf(page), '')
})

test('runs are read with the key of the operator', { skip }, async t => {
  const served = await dashboardEvents(t, { scenario: 'failing', key: 'admin-key-0123456789' })
  const [id = ''] = [...served.fleet.kept.keys()]
  const { page } = await openDashboard(t, `${served.url}?run=${id}`, { isEmpty: true })
  const field = page.locator('#gate input')
  await field.fill('admin-key-0123456789')
  await field.press('Enter')
  await page.locator('.fall').waitFor()
  t.equal(searchOf(page), `?run=${id}`)
})

test('text of callers is text, whatever it contains', { skip }, async t => {
  const { served, page, problems } = await arrange(t)
  const [id = '', run] = [...served.fleet.kept].at(-1) ?? []
  if (run === undefined) throw new Error('there is no run')
  const target = '/v1/<img src=x onerror=alert(1)>?a=\u202e\u0007"\'&lt;'
  served.fleet.kept.set(id, { ...run, target, why: [target] })
  await page.goto(`${served.url}?run=${id}`)
  await page.locator('.fall').waitFor()
  t.equal(await page.locator('.open-run img').count(), 0)
  t.equal(
    await page.locator('.open-run-why li').textContent(),
    String.raw`/v1/<img src=x onerror=alert(1)>?a=\u202e\u0007"'&lt;`,
  )
  t.match(await page.locator('.open-run-target').textContent(), String.raw`?a=\u202e\u0007`)
  t.same(await problems(), [])
})
