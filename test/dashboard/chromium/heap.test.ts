import type { CDPSession, Page } from 'playwright-core'
import { test } from 'tap'
import { chromiumMissing } from '../../helpers/chromium.ts'
import { dashboardEvents } from '../../helpers/dashboard-events.ts'
import { openDashboard } from '../../helpers/dashboard-page.ts'
import { until } from '../../helpers/until.ts'

const minute = 60_000
/** The events begin at this moment, so that the clock of the page does not pass midnight. */
const startAt = Date.parse('2026-01-05T08:00:00Z')

/**
 * The heap has the machine code of the page too, and V8 compiles more of it the longer a page runs: 0.2 MB in these two
 * hours. Without the optimizing compilers the heap has the data of the page, which is what may leak.
 */
const args = ['--js-flags=--no-opt --no-maglev --no-sparkplug']

/** Waits until the page shows the time, and returns its heap and its nodes after a garbage collection. */
async function sizesAt(page: Page, debuggerOfPage: CDPSession, at: number) {
  const clock = new Date(at).toISOString().slice(11, 19)
  const shown = () => page.evaluate<string>('document.getElementById("connection-text").textContent.slice(-8)')
  await until(async () => (await shown()) >= clock)
  for (let times = 0; times < 2; times++) await debuggerOfPage.send('HeapProfiler.collectGarbage')
  const { usedSize } = await debuggerOfPage.send('Runtime.getHeapUsage')
  const { nodes, jsEventListeners } = await debuggerOfPage.send('Memory.getDOMCounters')
  return { usedSize, nodes, jsEventListeners }
}

test(
  'two hours of events leave the heap and the nodes of the page as they were',
  { skip: chromiumMissing },
  async t => {
    const served = await dashboardEvents(t, { scenario: 'failing', startAt })
    const { page, problems } = await openDashboard(t, served.url, { args })
    await page.locator('.charts canvas').first().waitFor()
    const debuggerOfPage = await page.context().newCDPSession(page)
    await served.replay(5 * minute)
    const first = await sizesAt(page, debuggerOfPage, served.fleet.at)
    await served.replay(115 * minute)
    const last = await sizesAt(page, debuggerOfPage, served.fleet.at)
    const ratio = last.usedSize / first.usedSize
    t.ok(ratio <= 1.1, `the heap has ${last.usedSize} bytes, ${ratio.toFixed(3)} times those after 5 minutes`)
    t.ok(Math.abs(last.nodes / first.nodes - 1) <= 0.01, `${first.nodes} nodes, then ${last.nodes}`)
    t.ok(last.jsEventListeners <= first.jsEventListeners * 1.01, `${last.jsEventListeners} listeners`)
    t.equal(served.reads, 1, 'the connection was not lost')
    t.same(await problems(), [])
  },
)
