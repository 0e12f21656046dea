import { test } from 'tap'
import type { VerdictPart } from '../../../src/dashboard/protocol.ts'
import { chromiumMissing } from '../../helpers/chromium.ts'
import { dashboardEvents, withSample } from '../../helpers/dashboard-events.ts'
import { openDashboard } from '../../helpers/dashboard-page.ts'
import { until } from '../../helpers/until.ts'

const skip = { skip: chromiumMissing }

test('a link to an aggregate shows its row also while the filter hides it', skip, async t => {
  const served = await dashboardEvents(t, { scenario: 'failing' })
  const { page } = await openDashboard(t, served.url)
  await page.locator('#filter').fill('shipping')
  await page.locator('.tile').nth(1).waitFor({ state: 'detached' })
  await page.locator('#verdict button[data-aggregate]').first().click()
  const focused = () => page.evaluate<string>('document.activeElement.closest("tr")?.textContent ?? ""')
  await until(async () => (await focused()) !== '')
  t.equal(await page.locator('#filter').inputValue(), '')
})

test('a second click on an upstream lets the detail follow the sickest one again', skip, async t => {
  const served = await dashboardEvents(t, { scenario: 'failing' })
  const { page } = await openDashboard(t, served.url)
  const title = page.locator('#detail-title')
  const tile = page.locator('.tile[data-name="shipping"]')
  await tile.click()
  await title.getByText('shipping').waitFor()
  t.match(await tile.getAttribute('title'), /Select it again to follow the sickest upstream\.$/)
  await tile.click()
  await title.getByText('inventory').waitFor()
  t.equal(await tile.getAttribute('aria-pressed'), 'false')
  t.notMatch(await tile.getAttribute('title'), 'again')
})

test('a name in the verdict keeps the focus when the names change their order', skip, async t => {
  const served = await dashboardEvents(t, { scenario: 'healthy' })
  let order = ['cart', 'search']
  served.alter = withSample(sample => {
    const parts = order.map((name): VerdictPart => ({ text: name, aggregate: name }))
    return { ...sample, verdict: { health: 'failing', sentences: [parts] } }
  })
  const { page } = await openDashboard(t, served.url)
  const shown = () => page.locator('#verdict button').allInnerTexts()
  await until(async () => (await shown()).join() === 'cart,search')
  await page.locator('#verdict button', { hasText: 'search' }).focus()
  order = ['search', 'cart']
  await until(async () => (await shown()).join() === 'search,cart')
  t.equal(await page.evaluate('document.activeElement.textContent'), 'search')
  const box = await page.locator('#verdict button', { hasText: 'search' }).boundingBox()
  if (box === null) return t.fail('the name is not visible')
  await page.mouse.move(box.x + 5, box.y + 5)
  await page.mouse.down()
  order = ['cart', 'search']
  await served.replay(3000)
  await page.mouse.up()
  await until(async () => /search/.test(await page.evaluate<string>('document.activeElement.textContent')))
  await until(async () => (await shown()).join() === 'cart,search')
})

test('upstreams and aggregates show their present addresses after a reload of the definitions', skip, async t => {
  const served = await dashboardEvents(t, { scenario: 'many' })
  const { page } = await openDashboard(t, served.url)
  await page.locator('.chip').first().waitFor()
  served.alter = event =>
    event.type === 'hello'
      ? {
          ...event,
          upstreams: event.upstreams.map(info => ({ ...info, origin: 'https://new.example' })),
          aggregates: event.aggregates.map(info => ({ ...info, url: '/new' })),
        }
      : event
  served.reload()
  const titles = (selector: string) =>
    page.evaluate<string[]>(`Array.from(document.querySelectorAll('${selector}'), each => each.title)`)
  for (const selector of ['.tile', '.chip'])
    await until(async () => (await titles(selector)).every(title => title.startsWith('https://new.example')))
  await until(async () => (await titles('.aggregate-title')).every(title => title === 'GET /new'))
  t.ok((await titles('.tile')).length > 0)
})

test('the detail says when the circuit breaker has changed, and over which time its numbers are', skip, async t => {
  const served = await dashboardEvents(t, { scenario: 'failing' })
  const { page } = await openDashboard(t, served.url)
  await page.locator('.detail-breaker', { hasText: /^Circuit breaker: .*open at \d\d:\d\d:\d\d/ }).waitFor()
  t.match(await page.locator('.detail-window').innerText(), /^Last 10 s;/)
  t.match(await page.locator('.charts-time').innerText(), /; rates over 1 s$/)
})

test('users of an upstream that no kept run can show are not known', skip, async t => {
  const served = await dashboardEvents(t, { scenario: 'healthy' })
  let keptRuns = false
  served.alter = event =>
    event.type === 'hello'
      ? { ...event, keptRuns, runs: [], upstreams: event.upstreams.map(info => ({ ...info, usedBy: [] })) }
      : event
  const { page } = await openDashboard(t, served.url)
  await page.locator('.users', { hasText: 'Not known: KEPT_RUNS is 0.' }).waitFor()
  keptRuns = true
  served.reload()
  await page.locator('.users', { hasText: 'No aggregate has called it yet.' }).waitFor()
  served.alter = withSample(sample => ({
    ...sample,
    upstreams: sample.upstreams.map(row => ({ ...row, usedBy: ['cart'] })),
  }))
  await page.locator('.users button', { hasText: 'cart' }).waitFor()
})

test('names, reasons and verdicts of the service are text on the page, not HTML', skip, async t => {
  const served = await dashboardEvents(t, { scenario: 'failing' })
  const hostile = '<img src=x onerror="document.title = 1">'
  const altered = withSample(sample => ({
    ...sample,
    verdict: { health: 'failing', sentences: [[{ text: hostile, upstream: hostile }, { text: `${hostile}!` }]] },
    upstreams: sample.upstreams.map(row => ({ ...row, health: 'failing', reason: hostile })),
    aggregates: sample.aggregates.map(row => ({ ...row, topCode: hostile })),
  }))
  served.alter = event => {
    const changed = altered(event)
    if (changed.type !== 'hello') return changed
    return {
      ...changed,
      upstreams: changed.upstreams.map((info, index) => ({
        name: `${hostile}${index}`,
        origin: hostile,
        operations: [hostile],
        usedBy: [hostile],
      })),
      aggregates: changed.aggregates.map((_, index) => ({
        name: index === 0 ? hostile : `${hostile}${index}`,
        method: hostile,
        url: hostile,
      })),
    }
  }
  const { page, problems } = await openDashboard(t, served.url)
  for (const place of [
    '.tile-name',
    '.tile-reason',
    '.verdict-first',
    '#detail-title',
    '.detail-origin',
    '.aggregate-title',
  ])
    await page.locator(place, { hasText: hostile }).first().waitFor()
  await page.locator('.users', { hasText: hostile }).waitFor()
  t.equal(await page.locator('img').count(), 0)
  t.match(await page.title(), /^✖ <img/)
  // The server of the test has no history of the altered names.
  const others = (await problems()).filter(problem => !problem.includes('404'))
  t.same(others, [])
})
