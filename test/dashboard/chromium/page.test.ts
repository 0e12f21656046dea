import type { Page } from 'playwright-core'
import { test } from 'tap'
import { chromiumMissing } from '../../helpers/chromium.ts'
import { dashboardEvents, withSample } from '../../helpers/dashboard-events.ts'
import { openDashboard } from '../../helpers/dashboard-page.ts'
import { until } from '../../helpers/until.ts'

const skip = { skip: chromiumMissing }
const focused = (page: Page) => page.evaluate<string | undefined>('document.activeElement.dataset.name')
const names = (page: Page) => page.locator('.tile-name').allInnerTexts()

test(
  'the failing upstream is the first tile, has its shape and its word, and is in the title of the tab',
  skip,
  async t => {
    const served = await dashboardEvents(t, { scenario: 'failing' })
    const { page, problems } = await openDashboard(t, served.url)
    const tile = page.locator('.tile').first()
    t.equal(await tile.getAttribute('data-health'), 'failing')
    t.equal(await tile.getAttribute('aria-pressed'), 'true', 'its detail is open')
    t.match(await tile.innerText(), /Failing since \d\d:\d\d:\d\d/)
    const name = await tile.getAttribute('data-name')
    t.equal(await page.locator('.verdict-first .name').first().innerText(), name)
    t.equal(await page.title(), `✖ ${name} failing · Headwaters`)
    const [healthy, failing] = await page.evaluate<string[]>(
      '["healthy", "failing"].map(health => document.querySelector(`.tile .shape[data-health=${health}] path`).getAttribute("d"))',
    )
    t.not(healthy, failing, 'the shape differs, not only the colour')
    t.same(await problems(), [])
  },
)

test('the circle of an upstream has an area by its traffic', skip, async t => {
  const served = await dashboardEvents(t, { scenario: 'healthy' })
  // Without calls that a cache answers, the traffic is the number of the tile at each moment.
  served.alter = withSample(sample => ({
    ...sample,
    upstreams: sample.upstreams.map(row => ({ ...row, calls: row.attempts })),
  }))
  const { page } = await openDashboard(t, served.url)
  const circles = await page.evaluate<{ rate: number; width: number }[]>(`Array.from(
    document.querySelectorAll('.tile'),
    tile => ({
      rate: Number(tile.querySelectorAll('.number b')[1].textContent),
      width: tile.querySelector('.shape').getBoundingClientRect().width,
    }),
  )`)
  const [largest] = circles.toSorted((a, b) => b.rate - a.rate)
  if (largest === undefined) return t.fail('the page has no tile')
  for (const { rate, width } of circles) {
    const wanted = largest.width * Math.max(0.17, Math.sqrt(rate / largest.rate))
    t.ok(Math.abs(width - wanted) < 0.15 * largest.width, `${rate}/s: ${width} px, wanted about ${wanted} px`)
  }
})

test('a page without a connection says since when and how old its numbers are, and connects again', skip, async t => {
  const served = await dashboardEvents(t, { scenario: 'healthy' })
  const { page } = await openDashboard(t, served.url)
  served.lose()
  const banner = page.locator('#banner')
  await banner
    .getByText(/No connection since \d\d:\d\d:\d\d: .*The numbers below are \d+\ss old\..*Next try in/)
    .waitFor()
  t.match(await page.locator('#connection').innerText(), 'No connection')
  t.match(await page.title(), 'No connection')
  t.equal(await page.locator('#main').getAttribute('aria-disabled'), 'true')
  const before = await banner.innerText()
  await until(async () => (await banner.innerText()) !== before)
  // The pauses between tries grow. After a short pause the page may connect by itself before the click.
  await banner.getByText(/Next try in ([6-9]|1\d)\s/).waitFor()
  served.comeBack()
  await banner.getByRole('button', { name: 'Try now' }).click()
  await page.locator('#connection').getByText(/^Live/).waitFor()
  t.equal(await banner.isVisible(), false)
  t.equal(await page.locator('#main').getAttribute('aria-disabled'), null)
  t.equal(await page.locator('.tile').count(), (await names(page)).length, 'the tiles are those of before')
})

test('a page with a key asks for it, keeps it in the tab, and forgets it', skip, async t => {
  const key = 'k-0123456789abcdef'
  const served = await dashboardEvents(t, { scenario: 'healthy', key })
  const { page } = await openDashboard(t, served.url, { isEmpty: true })
  await page.locator('#key').waitFor()
  t.equal(await page.locator('#main').isVisible(), false)
  await page.keyboard.type('wrong')
  await page.keyboard.press('Enter')
  await page.getByText('The service did not accept this key.').waitFor()
  await page.keyboard.type(key)
  await page.keyboard.press('Enter')
  await page.locator('.tile').first().waitFor()
  t.equal(await page.evaluate('document.cookie'), '')
  t.notMatch(page.url(), key)
  await page.reload()
  await page.locator('.tile').first().waitFor()
  await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Forget key' }).click()])
  await page.locator('#key').waitFor()
  t.equal(await page.locator('#main').isVisible(), false, 'the numbers are hidden too')
  t.equal(await page.evaluate('JSON.stringify(sessionStorage)'), '{}')
})

test('the page is used by keyboard: filter, arrow keys, selection', skip, async t => {
  const served = await dashboardEvents(t, { scenario: 'healthy' })
  const { page } = await openDashboard(t, served.url)
  const all = await names(page)
  await page.keyboard.press('Tab')
  t.equal(await page.evaluate('document.activeElement.className'), 'skip', 'the first stop is the skip link')
  await page.keyboard.press('/')
  await page.keyboard.type(all[2] ?? '')
  await until(async () => (await names(page)).length === 1)
  t.same(await names(page), [all[2]])
  await page.keyboard.press('Escape')
  await until(async () => (await names(page)).length === all.length)
  await page.locator('.tile').first().focus()
  await page.keyboard.press('ArrowRight')
  t.equal(await focused(page), all[1])
  await page.keyboard.press('End')
  t.equal(await focused(page), all.at(-1))
  await page.keyboard.press('Home')
  await page.keyboard.press('ArrowDown')
  const below = await focused(page)
  t.ok(below !== undefined && all.indexOf(below) > 1, `${below} is in the next row`)
  await page.keyboard.press('Enter')
  await page.locator(`.tile[data-name="${below}"][aria-pressed="true"]`).waitFor()
  t.equal(await focused(page), below, 'the focus stays')
  t.match(await page.locator('#detail-title').innerText(), below)
})

test('the theme follows the system until the user chooses one, which the browser keeps', skip, async t => {
  const served = await dashboardEvents(t, { scenario: 'healthy' })
  const { page } = await openDashboard(t, served.url, { colorScheme: 'dark' })
  const paper = () => page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor')
  const dark = await paper()
  await page.emulateMedia({ colorScheme: 'light' })
  const light = await paper()
  t.not(light, dark)
  const button = page.locator('#theme')
  await button.click()
  t.equal(await button.innerText(), 'Theme: light')
  await page.emulateMedia({ colorScheme: 'dark' })
  t.equal(await paper(), light)
  await button.click()
  t.equal(await paper(), dark)
  await page.emulateMedia({ colorScheme: 'light' })
  await page.reload()
  await page.locator('.tile').first().waitFor()
  t.equal(await button.innerText(), 'Theme: dark')
  t.equal(await paper(), dark)
})

test('names and sentences of the service are text on the page, not HTML', skip, async t => {
  const served = await dashboardEvents(t, { scenario: 'healthy' })
  const { page, problems } = await openDashboard(t, served.url)
  await page.evaluate(`(() => {
    const { fetch } = globalThis
    globalThis.fetch = async (...request) => {
      if (!String(request[0]).includes('/explain/')) return fetch(...request)
      return new Response('<img src=x onerror="document.title = 1">')
    }
  })()`)
  await page.locator('a.explain').first().click()
  await page.getByText('<img src=x').waitFor()
  t.equal(await page.locator('img').count(), 0)
  await page.keyboard.press('Escape')
  t.equal(await page.locator('#explanation').isVisible(), false)
  t.same(await problems(), [])
})

test('the page has no horizontal scrolling from 380 to 1600 px', skip, async t => {
  for (const scenario of ['failing', 'many'] as const) {
    const served = await dashboardEvents(t, { scenario })
    const { page } = await openDashboard(t, served.url)
    for (const width of [380, 600, 800, 1024, 1280, 1600]) {
      await page.setViewportSize({ width, height: 900 })
      t.equal(await page.evaluate('document.documentElement.scrollWidth'), width, scenario)
    }
  }
})
