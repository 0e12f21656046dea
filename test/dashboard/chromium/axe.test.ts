import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { test } from 'tap'
import { chromiumMissing } from '../../helpers/chromium.ts'
import {
  dashboardEvents,
  withSample,
  type DashboardEvents,
  type DashboardEventsOptions,
} from '../../helpers/dashboard-events.ts'
import { openDashboard } from '../../helpers/dashboard-page.ts'
import { shopBulkRuns } from '../../helpers/invented-bulk.ts'

/** The policy of the page forbids another script in it; the debugger of the browser may evaluate it. */
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const views = [380, 800, 1600].flatMap(width => [[width, 'light'] as const, [width, 'dark'] as const])
/** A large page is slow to check: its small parts are those of the others. */
const someViews = [[380, 'dark'] as const, [1600, 'light'] as const]

interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
}

/** Returns the violations of impact serious or critical. */
async function violationsOf(page: Page): Promise<readonly string[]> {
  if (!(await page.evaluate<boolean>('"axe" in globalThis'))) await page.evaluate(axe)
  const found = await page.evaluate<readonly Violation[]>(
    'axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations)',
  )
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)}: ${failureSummary}`),
    )
}

/** The states of the page, and how a user gets there. */
const states: readonly {
  readonly name: string
  readonly served: DashboardEventsOptions
  readonly views?: typeof views
  readonly open: (page: Page, served: DashboardEvents) => Promise<unknown>
}[] = [
  { name: 'overview', served: { scenario: 'healthy' }, open: page => page.locator('.tile').first().waitFor() },
  {
    name: 'overview of many',
    served: { scenario: 'many' },
    views: someViews,
    open: page => page.locator('.chip').first().waitFor(),
  },
  {
    name: 'detail with its numbers',
    served: { scenario: 'failing' },
    open: async page => {
      await page.locator('.charts canvas').first().waitFor()
      await page.getByRole('button', { name: 'Show numbers' }).click()
      await page.getByRole('table', { name: /ten seconds per row/ }).waitFor()
    },
  },
  {
    name: 'open run',
    served: { scenario: 'failing' },
    open: async page => {
      await page.locator('.run-link[data-state="partial"]').first().click()
      await page.locator('.open-run h3').waitFor()
    },
  },
  {
    name: 'bulk runs and a refused reload',
    served: { scenario: 'healthy' },
    open: async (page, served) => {
      const at = Date.now()
      served.alter = withSample(sample => ({ ...sample, refused: { at, faults: 1 } }))
      served.sendBulk(shopBulkRuns(at))
      await page.reload()
      await page.locator('.bulk-run').first().waitFor()
      await page.locator('#reload-refused:not([hidden])').waitFor()
    },
  },
  {
    name: 'lost connection',
    served: { scenario: 'failing' },
    open: async (page, served) => {
      await page.locator('.tile').first().waitFor()
      served.lose()
      await page.locator('#banner:not([hidden])').waitFor()
    },
  },
  {
    name: 'form for the key',
    served: { scenario: 'healthy', key: 'k-0123456789abcdef' },
    open: async page => {
      await page.locator('#key').fill('wrong')
      await page.locator('#gate button').first().click()
      await page.locator('#key-error:not(:empty)').waitFor()
    },
  },
]

for (const { name, served: options, views: checked = views, open } of states)
  test(`the dashboard has no serious violation of accessibility: ${name}`, { skip: chromiumMissing }, async t => {
    const served = await dashboardEvents(t, options)
    const { page } = await openDashboard(t, served.url, { isEmpty: true, reducedMotion: 'reduce' })
    await open(page, served)
    for (const [width, colorScheme] of checked) {
      await page.setViewportSize({ width, height: 900 })
      await page.emulateMedia({ colorScheme })
      t.same(await violationsOf(page), [], `${width} px, ${colorScheme}`)
    }
  })
