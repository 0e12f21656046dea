import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Browser } from 'playwright-core'
import type { KeptRun } from '../../src/waterfall/kept-run.ts'
import { DashboardEvents, type DashboardEventsOptions } from '../../test/helpers/dashboard-events.ts'
import { shopBulkRuns } from '../../test/helpers/invented-bulk.ts'
import type { Scheme } from './draw.ts'

const schemes: readonly Scheme[] = ['light', 'dark']
const widths = [380, 800, 1600]
/** The moment of the pictures. It is fixed, so that a change of a picture is a change of the page. */
const startAt = Date.parse('2026-03-02T10:20:30Z')
/** Time between the first event and the picture, in ms: the numbers of ten seconds are those of the page itself. */
const settledMs = 12_000
/** The largest height of a picture, in px. */
const tallest = 4800
/** Time between the loss of the connection and its picture, in ms. */
const lostMs = 9000

interface Scene {
  readonly name: string
  readonly served: DashboardEventsOptions
  /** The picture of an open run, of a lost connection, or of bulk runs. @default the page as it opens */
  readonly shows?: 'run' | 'loss' | 'bulk'
}

const scenes: readonly Scene[] = [
  { name: 'healthy', served: { scenario: 'healthy', startAt } },
  { name: 'failing', served: { scenario: 'failing', startAt } },
  { name: 'many', served: { scenario: 'many', startAt } },
  { name: 'lost', served: { scenario: 'failing', startAt }, shows: 'loss' },
  { name: 'waterfall', served: { scenario: 'failing', failsAfter: 9000, startAt }, shows: 'run' },
  { name: 'bulk', served: { scenario: 'healthy', startAt }, shows: 'bulk' },
]

/** Takes a picture of each scene of the dashboard, or of one of them, in each width and each theme. */
export async function pictureDashboard(folder: string, only?: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  await withBrowser(async browser => {
    for (const scene of scenes.filter(({ name }) => only === undefined || name === only))
      for (const width of widths)
        for (const scheme of schemes)
          await picture(browser, scene, scheme, {
            viewport: { width, height: width === 380 ? 800 : 1000 },
            path: join(folder, `${scene.name}-${width}-${scheme}.png`),
            fullPage: true,
          })
  })
}

/** Takes the pictures of the documentation: a service of which one upstream fails, and the table of bulk runs. */
export async function pictureForDocs(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const viewport = { width: 1360, height: 850 }
  await withBrowser(async browser => {
    for (const scheme of schemes) {
      const shot = (name: string) => ({ viewport, path: join(folder, `${name}-${scheme}.png`), fullPage: false })
      await picture(browser, sceneOf('failing'), scheme, shot('dashboard'))
      await picture(browser, sceneOf('bulk'), scheme, { ...shot('bulk-runs'), part: '#bulk' })
    }
  })
}

function sceneOf(name: string): Scene {
  return scenes.find(scene => scene.name === name) as Scene
}

interface Shot {
  readonly viewport: { readonly width: number; readonly height: number }
  readonly path: string
  readonly fullPage: boolean
  /** The selector of the only part that the picture shows. @default the page */
  readonly part?: string
}

async function picture(browser: Browser, { served: options, shows }: Scene, colorScheme: Scheme, shot: Shot) {
  const served = await new DashboardEvents(options).listen()
  const { viewport, path, fullPage, part } = shot
  if (shows === 'bulk') served.fleet.bulk = shopBulkRuns(startAt)
  const page = await browser.newPage({ viewport, colorScheme, timezoneId: 'UTC', reducedMotion: 'reduce' })
  try {
    // The browser and the service have the same clock.
    await page.clock.setFixedTime(startAt + settledMs)
    await page.goto(served.url)
    await page.locator('.charts canvas').first().waitFor()
    await served.replay(settledMs)
    if (shows === 'run') await page.goto(`${served.url}?run=${tellingRun(served.fleet.kept).id}`)
    if (shows === 'loss') {
      served.lose()
      await page.clock.setFixedTime(startAt + settledMs + lostMs)
      await page.locator('#banner:not([hidden])').waitFor()
    }
    if (shows === 'bulk') {
      await page.locator('.bulk-run').first().waitFor()
      // The rate of a run is the mean of several samples.
      for (const second of [4, 8, 12]) served.sendBulk(shopBulkRuns(startAt + 1000 * second, second))
    }
    if (fullPage) {
      // The page leaves out what is outside of the window, so the window is as high as the page.
      const height = await page.evaluate<number>('document.documentElement.scrollHeight')
      await page.setViewportSize({ width: viewport.width, height: Math.min(tallest, height) })
    }
    await page.evaluate('scrollTo(0, 0)')
    // The charts of the history and the last sample are drawn.
    await page.waitForTimeout(1000)
    await (part === undefined ? page : page.locator(part)).screenshot({ path })
  } finally {
    await page.close()
    await served.close()
  }
}

async function withBrowser(work: (browser: Browser) => Promise<void>): Promise<void> {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  })
  try {
    await work(browser)
  } finally {
    await browser.close()
  }
}

/** Returns the run that shows most kinds of waits, attempts and ends. */
function tellingRun(kept: ReadonlyMap<string, KeptRun>): KeptRun {
  const kinds = ({ steps, state }: KeptRun) =>
    new Set([
      state,
      ...steps.flatMap(({ outcome, calls }) => [
        outcome.state,
        ...calls.flatMap(({ cache, waits, attempts, marks }) => [
          cache,
          ...waits.map(({ reason }) => reason),
          ...attempts.map(({ kind }) => kind),
          ...marks.map(({ what }) => what),
        ]),
      ]),
    ]).size
  return [...kept.values()].reduce((best, run) => (kinds(run) > kinds(best) ? run : best))
}
