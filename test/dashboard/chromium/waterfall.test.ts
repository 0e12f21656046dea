import type { Page } from 'playwright-core'
import { test, type Test } from 'tap'
import type { Outcome } from '../../../src/fanout/outcome.ts'
import type { KeptRun, RunList } from '../../../src/waterfall/kept-run.ts'
import { chromiumMissing } from '../../helpers/chromium.ts'
import { openDashboard } from '../../helpers/dashboard-page.ts'
import { mixedDeadline, mixedRun } from '../../helpers/mixed-run.ts'
import { until } from '../../helpers/until.ts'
import { adminService, scrape } from '../../server/admin/helpers/admin-service.ts'

const skip = chromiumMissing
/** The largest difference between a bar and the sources of the reply, in ms. */
const tolerance = 2

/** The service with kept runs over upstreams that are slow, busy, narrow and silent. */
async function arrange(t: Test) {
  const { path, upstream } = await mixedRun(t)
  const service = await adminService(t, {}, ['serve', path])
  await service.said('serving')
  const read = async <T>(url: string) => JSON.parse((await scrape(service.adminPort, { path: url })).text) as T
  return { ...service, upstream, read, dashboard: `http://127.0.0.1:${service.adminPort}/dashboard` }
}

/** A bar with its times, and its place as a share of the width of the axis. */
interface DrawnBar {
  readonly look: string
  readonly from: number
  readonly to: number
  readonly left: number
  readonly right: number
  /** The width of one pixel on the axis, in ms. */
  readonly pixel: number
}

/** Returns the bars of the first drawing in a part of the waterfall. */
function barsIn(page: Page, part: string): Promise<DrawnBar[]> {
  return page.evaluate<DrawnBar[]>(`(${readBars})(document.querySelector('${part} .fall-plot'))`)
}

// Chromium evaluates it; the tests have no types of a browser.
const readBars = `plot => {
  const { left, width } = plot.getBoundingClientRect()
  const end = Number(plot.closest('.fall').dataset.end)
  return Array.from(plot.querySelectorAll('.fall-bar'), bar => {
    const place = bar.getBoundingClientRect()
    const { look, from, to } = bar.dataset
    const onAxis = x => ((x - left) / width) * end
    return { look, from: Number(from), to: Number(to), left: onAxis(place.left), right: onAxis(place.right), pixel: end / width }
  })
}`

test(
  'the bars of a waterfall agree with the sources of the reply to 2 ms, and the picture with the bars',
  { skip },
  async t => {
    const { origin, read, dashboard } = await arrange(t)
    const reply = await fetch(`${origin}/mixed`)
    const { sources } = (await reply.json()) as { readonly sources: Readonly<Record<string, Outcome>> }
    const { runs } = await read<RunList>(`/requests?request=${reply.headers.get('x-request-id') ?? ''}`)
    const id = runs[0]?.id ?? ''
    const { page, problems } = await openDashboard(t, `${dashboard}?run=${id}`)
    await page.locator('.fall').waitFor()

    t.same(Object.keys(sources), ['slow', 'again', 'queued', 'fastest', 'never'])
    const looks: Record<string, string[]> = {}
    for (const [name, { start = NaN, ms, attempts }] of Object.entries(sources)) {
      const bars = await barsIn(page, `[data-step="${name}"]`)
      looks[name] = [...new Set(bars.map(({ look }) => look))]
      const [own] = bars
      t.equal(own?.look, 'own')
      t.ok(Math.abs((own?.from ?? NaN) - start) <= tolerance, `${name} begins at ${start}: ${own?.from}`)
      t.ok(Math.abs((own?.to ?? NaN) - start - ms) <= tolerance, `${name} ends at ${start + ms}: ${own?.to}`)
      for (const { look, from, to, left, right, pixel } of bars) {
        // A bar is at least two pixels wide, and lines are as wide as a pixel.
        t.ok(Math.abs(left - from) <= tolerance + pixel, `${name}, ${look}: ${left} is ${from}`)
        t.ok(Math.abs(right - to) <= tolerance + 2 * pixel, `${name}, ${look}: ${right} is ${to}`)
      }
      const drawn = page.locator(`[data-step="${name}"] .fall-calls .fall-words`)
      const words = (await drawn.allTextContents()).join(' ')
      t.equal(words.match(/attempt \d/gi)?.length, attempts, `${name}: ${words}`)
    }
    t.same(looks, {
      slow: ['own', 'outrun', 'hedge'],
      again: ['own', 'wait', 'failed', 'answered'],
      queued: ['own', 'wait', 'answered'],
      fastest: ['own', 'cancelled', 'answered'],
      never: ['own', 'failed'],
    })
    t.same(
      (await barsIn(page, '[data-step="queued"] [data-call="1"]')).map(({ look }) => look),
      ['own', 'wait', 'answered'],
      'the second call waits for the permit of the first',
    )
    const deadline = page.locator('.fall-axis .fall-deadline-label')
    t.equal(await deadline.textContent(), `deadline ${mixedDeadline} ms`)
    t.equal(
      await page.locator('.fall-plot:visible .fall-deadline').count(),
      await page.locator('.fall-plot:visible').count(),
    )
    t.match(await page.locator('.open-run-why').textContent(), /never: DEADLINE_EXCEEDED/)
    t.same(await problems(), [])
  },
)

test('a run that its caller left has a cancelled attempt, and says so', { skip }, async t => {
  const { origin, upstream, read, dashboard } = await arrange(t)
  const caller = new AbortController()
  const left = fetch(`${origin}/hung`, { signal: caller.signal }).catch(() => 'left')
  await upstream.asked(1)
  caller.abort()
  t.equal(await left, 'left')
  let list: RunList | undefined
  await until(async () => (list = await read<RunList>('/requests?aggregate=hung')).runs.length === 1)
  const run = await read<KeptRun>(`/requests/${list?.runs[0]?.id ?? ''}`)
  const { page } = await openDashboard(t, dashboard)
  await page.locator('.run-link').click()
  t.equal(new URL(page.url()).search, `?run=${run.id}`, 'the address leads to the run')
  const [own, attempt] = await barsIn(page, '[data-step="never"]')
  t.match([own?.look, attempt?.look], ['own', 'cancelled'])
  const end = run.steps[0]?.calls[0]?.attempts[0]?.end ?? NaN
  t.ok(Math.abs((attempt?.to ?? NaN) - end) <= tolerance, `${attempt?.to} is ${end}`)
  t.ok(end <= run.ms)
  t.match(await page.locator('.open-run-summary').textContent(), /^Cancelled.*the caller left$/)
  t.match(await page.locator('.fall-words').textContent(), /^Attempt 1 at .*: cancelled after /)
})
