import { test } from 'tap'
import { chromiumMissing } from '../../helpers/chromium.ts'
import { dashboardEvents } from '../../helpers/dashboard-events.ts'
import { openDashboard } from '../../helpers/dashboard-page.ts'
import { isExact } from '../../helpers/timing.ts'
import { elapsed } from '../../helpers/until.ts'

/** The longest task of the page, and the longest time from a key to the frame that shows it, in ms. */
const longestTask = isExact ? 50 : 400
const longestInput = isExact ? 100 : 800
/** How long tasks are watched, in ms: 20 samples. */
const watchedMs = 10_000

/** Notes the duration of each long task, which the browser reports from 50 ms. */
const watchTasks = `
  globalThis.longTasks = []
  new PerformanceObserver(list => longTasks.push(...list.getEntries().map(entry => entry.duration)))
    .observe({ type: 'longtask' })
`

/** Resolves with the time from the next input to the end of the frame that shows it. */
const watchInput = `
  new Promise(resolve => {
    document.getElementById('filter').addEventListener('input', ({ timeStamp }) => requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => resolve(performance.now() - timeStamp)
      port2.postMessage(0)
    }), { once: true })
  })
`

test('60 upstreams and 200 aggregates cause no long task of the page', { skip: chromiumMissing }, async t => {
  const served = await dashboardEvents(t, { scenario: 'many' })
  const { page, problems } = await openDashboard(t, served.url, { viewport: { width: 1600, height: 1000 } })
  t.equal(await page.locator('.tile, .chip').count(), 60)
  await page.evaluate(watchTasks)
  await elapsed(watchedMs)
  const longTasks = await page.evaluate<number[]>('longTasks')
  t.ok(Math.max(0, ...longTasks) <= longestTask, `long tasks: ${longTasks.join(', ')} ms`)

  const painted = page.evaluate<number>(watchInput)
  await page.locator('#filter').press('q')
  const ms = await painted
  t.ok(ms <= longestInput, `the filter is shown after ${ms} ms`)
  const shown = await page.locator('.tile:visible, .chip:visible').count()
  t.ok(shown > 0 && shown < 60, `${shown} upstreams match the filter`)
  t.same(await problems(), [])
})

for (const scenario of ['many', 'failing'] as const)
  test(`the dashboard needs no horizontal scrolling at 380 px: ${scenario}`, { skip: chromiumMissing }, async t => {
    const served = await dashboardEvents(t, { scenario })
    const { page } = await openDashboard(t, served.url, { viewport: { width: 380, height: 800 } })
    await page.locator('.charts canvas').first().waitFor()
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), 380)
    await page.getByRole('button', { name: 'Show numbers' }).click()
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), 380, 'with the table of numbers')
  })
