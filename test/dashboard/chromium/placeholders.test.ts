import { test } from 'tap'
import { chromiumMissing } from '../../helpers/chromium.ts'
import { dashboardEvents } from '../../helpers/dashboard-events.ts'
import { openDashboard } from '../../helpers/dashboard-page.ts'
import { bulkRow, bulkRuns } from '../../helpers/invented-bulk.ts'

/** The largest difference between the height of a row and that of its placeholder, in px. */
const mostOff = 1

/** Returns the height of each row that matches, in px, while rows have this visibility. */
const heightsOf = (rows: string, visibility: 'auto' | 'visible') => `(() => {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(${JSON.stringify(`${rows} { content-visibility: ${visibility} !important }`)})
  document.adoptedStyleSheets = [sheet]
  return Array.from(document.querySelectorAll(${JSON.stringify(rows)}), row => row.getBoundingClientRect().height)
})()`

for (const width of [1280, 700, 380])
  test(
    `rows below a window of ${width} px have the height that they have when they are drawn`,
    { skip: chromiumMissing },
    async t => {
      const served = await dashboardEvents(t, { scenario: 'many' })
      served.fleet.bulk = bulkRuns(
        Date.now(),
        Array.from({ length: 40 }, (_, index) => bulkRow(index + 1)),
      )
      const { page } = await openDashboard(t, served.url, { viewport: { width, height: 300 } })
      await page.locator('.run').first().waitFor({ state: 'attached' })
      for (const rows of ['.table tbody tr:nth-child(n + 20)', '.bulk-table tbody tr:nth-child(n + 20)', '.run']) {
        const placeholders = await page.evaluate<number[]>(heightsOf(rows, 'auto'))
        const drawn = await page.evaluate<number[]>(heightsOf(rows, 'visible'))
        // A long text may need a second line.
        const off = Math.abs(Math.min(...placeholders) - Math.min(...drawn))
        t.ok(
          off <= mostOff,
          `${rows} is ${Math.min(...drawn)} px high, and its placeholder ${Math.min(...placeholders)}`,
        )
      }
    },
  )
