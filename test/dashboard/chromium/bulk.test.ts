import type { Page } from 'playwright-core'
import { test, type Test } from 'tap'
import { chromiumMissing } from '../../helpers/chromium.ts'
import { dashboardEvents, withSample } from '../../helpers/dashboard-events.ts'
import { openDashboard } from '../../helpers/dashboard-page.ts'
import { bulkRow, bulkRuns, shopBulkRuns } from '../../helpers/invented-bulk.ts'
import { until } from '../../helpers/until.ts'

const skip = { skip: chromiumMissing }

async function arrange(t: Test, hash = '') {
  const served = await dashboardEvents(t, { scenario: 'healthy' })
  const at = Date.now()
  served.fleet.bulk = shopBulkRuns(at)
  const opened = await openDashboard(t, `${served.url}${hash}`)
  await opened.page.locator('.bulk-run').first().waitFor()
  return { served, at, ...opened }
}

/** Returns the text of the cells of a row, with plain spaces. */
async function cellsOf(page: Page, index: number): Promise<readonly string[]> {
  const texts = await page.locator('.bulk-run').nth(index).locator('[role=cell]').allTextContents()
  return texts.map(text => text.replaceAll(/\s+/g, ' ').trim())
}
const statusOf = (page: Page) => page.locator('.bulk-status').innerText()
const isSeen = (page: Page) => page.locator('#bulk').isVisible()

test('the bulk runs show their progress, with the runs that have not ended first', skip, async t => {
  const { served, at, page, problems } = await arrange(t)
  t.equal(await statusOf(page), '2 running, 1 waiting, 1 paused, 1 completed, 1 cancelled.')
  t.same(await page.locator('.bulk-aggregate').allTextContents(), [
    'order-total',
    'product-page',
    'recommendations',
    'product-page',
    'order-total',
    'product-page',
  ])
  const [state, progress, succeeded, partial, failed, perSecond, remaining, started, ended] = await cellsOf(page, 0)
  t.same(
    [state, progress, succeeded, partial, failed],
    ['running', '41 % 412 300 of 1 000 000', '403 000', '6 100', '3 200'],
  )
  t.same([perSecond, remaining, ended], ['–', '–', '–'], 'the rate is not known yet')
  t.match(started, /^\d\d:\d\d:\d\d$/)
  t.match(await cellsOf(page, 1), ['running', '36 % 18 200 of 50 000', '–', '–', '–'], 'its results are being counted')
  t.match(await cellsOf(page, 2), ['waiting for its aggregate', '0 % 0 of 300'])
  t.match((await cellsOf(page, 4)).at(-1), /kept until \d+ [A-Z][a-z]{2}$/)

  for (const second of [1, 2, 3]) served.sendBulk(shopBulkRuns(at + 1000 * second, second))
  await page.locator('.bulk-items', { hasText: '415 900 of' }).waitFor()
  t.same((await cellsOf(page, 0)).slice(5, 7), ['1 200', '8 min 6 s'])
  const bar = page.locator('.bulk-run').first().getByRole('progressbar')
  t.match(await bar.getAttribute('aria-label'), /^Progress of the bulk run [0-9a-f]{32} of order-total$/)
  t.equal(await bar.getAttribute('aria-valuenow'), '415900')
  t.equal(await bar.getAttribute('aria-valuemax'), '1000000')
  t.match(await bar.getAttribute('aria-valuetext'), /^42\s%, 415\s900 of 1\s000\s000 items$/)
  const width = await page.evaluate<number>(`(() => {
    const bar = document.querySelector('.bulk-run .bar')
    return bar.querySelector('.bulk-rest').getBoundingClientRect().width / bar.getBoundingClientRect().width
  })()`)
  t.ok(Math.abs(width - 0.584) < 0.03, `${width} of the bar is empty`)
  t.same(await problems(), [])
})

test('a run that ends is announced, and its row stays in the page', skip, async t => {
  const { served, at, page } = await arrange(t)
  const row = bulkRow(7, { aggregate: 'cart', items: 200, done: 100, createdAt: at })
  served.sendBulk(bulkRuns(at, [row]))
  await page.locator('.bulk-items', { hasText: '100 of 200' }).waitFor()
  await page.evaluate('document.querySelector(".bulk-run").dataset.old = "yes"')
  served.sendBulk(
    bulkRuns(at + 1000, [{ ...row, state: 'completed', done: 200, endedAt: at, expiresAt: at + 3_600_000 }]),
  )
  await page.locator('.bulk-run[data-state=completed][data-old=yes]').waitFor()
  await page.locator('#announcer', { hasText: 'A bulk run of cart is completed: 200 of 200 items.' }).waitFor()
  t.match((await cellsOf(page, 0)).at(-1), /^\d\d:\d\d:\d\d kept until \d\d:\d\d$/)
})

test('without an aggregate for bulk runs the page has no such part', skip, async t => {
  const { served, page } = await arrange(t)
  t.equal(await isSeen(page), true)
  served.fleet.bulk = null
  served.reload()
  await page.locator('#bulk').waitFor({ state: 'hidden' })
  t.equal(await page.locator('#skip-bulk').isVisible(), false)
  served.fleet.bulk = bulkRuns(0, [], { status: 'unread' })
  served.reload()
  await page.locator('#bulk').waitFor()
})

test('the page says that there are no runs, that there are more, and that the folder cannot be read', skip, async t => {
  const { served, at, page } = await arrange(t)
  const says = (text: string | RegExp) => page.locator('.bulk-status', { hasText: text }).waitFor()
  served.sendBulk(bulkRuns(at, [], { status: 'unreadable' }))
  await says('The folder of the bulk runs cannot be read; the log has the reason.')
  served.sendBulk(bulkRuns(at, []))
  await says('There are no bulk runs.')
  const many = Array.from({ length: 100 }, (_, index) => bulkRow(index + 1, { createdAt: at }))
  served.sendBulk(bulkRuns(at, many, { all: 1234 }))
  await says(/^100 running; the newest 100 of 1\s234 runs\.$/)
  t.equal(await page.locator('.bulk-run').count(), 100)
  served.sendBulk(bulkRuns(at, many, { status: 'unreadable' }))
  await says(/cannot be read; the log has the reason\. The numbers are from \d\d:\d\d:\d\d: 100 running\.$/)
})

test(
  'the bulk runs have an address, a skip link and the filter of the page, and scroll by the keyboard',
  skip,
  async t => {
    const { served, at, page } = await arrange(t, '#bulk')
    await until(() => page.evaluate<boolean>('document.querySelector("#bulk").getBoundingClientRect().top < 300'))
    await page.locator('#filter').fill('order')
    await until(async () => (await page.locator('.bulk-run').count()) === 2)
    await page.locator('#filter').fill('nothing')
    await page.locator('.bulk-status', { hasText: 'No bulk run of an aggregate has ‘nothing’ in its name.' }).waitFor()
    await page.locator('#filter').fill('')
    served.sendBulk(
      bulkRuns(
        at,
        Array.from({ length: 100 }, (_, index) => bulkRow(index + 1, { createdAt: at })),
      ),
    )
    await until(async () => (await page.locator('.bulk-run').count()) === 100)
    await page.locator('#skip-bulk').focus()
    await page.keyboard.press('Enter')
    t.equal(await page.evaluate<string>('document.activeElement.id'), 'bulk')
    await page.keyboard.press('Tab')
    t.equal(await page.evaluate<string>('document.activeElement.className'), 'bulk-box')
    await page.keyboard.press('End')
    await until(() => page.evaluate<boolean>('document.activeElement.scrollTop > 100'))
  },
)

test('the part has no horizontal scrolling from 380 to 1600 px', skip, async t => {
  const { page } = await arrange(t)
  for (const width of [380, 600, 800, 1024, 1240, 1280, 1440, 1600]) {
    await page.setViewportSize({ width, height: 900 })
    const widths = await page.evaluate<number[]>(
      '[document.documentElement, document.querySelector(".bulk-box")].map(each => each.scrollWidth - each.clientWidth)',
    )
    t.same(widths, [0, 0], `${width} px`)
  }
})

test('the text of an aggregate and of an id is text', skip, async t => {
  const { served, at, page, problems } = await arrange(t)
  served.sendBulk(bulkRuns(at, [bulkRow(1, { aggregate: '<img src=x onerror=alert(1)>', createdAt: at })]))
  await page.locator('.bulk-aggregate', { hasText: '<img src=x' }).waitFor()
  t.equal(await page.locator('#bulk img').count(), 0)
  t.same(await problems(), [])
})

test('a refused reload is below the verdict until a reload is accepted', skip, async t => {
  const { served, at, page } = await arrange(t)
  const notice = page.locator('#reload-refused')
  t.equal(await notice.isVisible(), false)
  served.alter = withSample(sample => ({ ...sample, refused: { at: at - 130_000, faults: 3 } }))
  await notice.waitFor()
  const text = (await notice.innerText()).replaceAll(/\s+/g, ' ')
  t.match(text, /Reload refused at (\d+ [A-Z][a-z]{2} \d\d:\d\d|\d\d:\d\d:\d\d) \(2 min \d+ s ago\), with 3 faults\. /)
  t.match(text, /The previous definitions are still served; the log has the faults\.$/)
  await page.locator('#announcer', { hasText: 'A reload was refused, with 3 faults.' }).waitFor()
  served.alter = withSample(sample => ({ ...sample, refused: { at, faults: 1 } }))
  await notice.getByText(/with 1 fault\./).waitFor()
  served.alter = event => event
  await notice.waitFor({ state: 'hidden' })
})
