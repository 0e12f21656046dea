import { statSync } from 'node:fs'
import { join } from 'node:path'
import fastify from 'fastify'
import type { Page } from 'playwright-core'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { chromiumMissing, launchChromium } from '../helpers/chromium.ts'
import { serveApp } from '../helpers/served-app.ts'

/** Collects what a page must not do; whatever it asks of another origin is cut and noted. */
async function watch(
  page: Page,
  origin: string,
): Promise<{ readonly outside: string[]; readonly errors: string[]; readonly violations: () => Promise<unknown> }> {
  const outside: string[] = []
  const errors: string[] = []
  await page.route('**', route => {
    const url = route.request().url()
    if (new URL(url).origin === origin) return route.continue()
    outside.push(url)
    return route.abort()
  })
  page.on('websocket', socket => outside.push(socket.url()))
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) errors.push(message.text())
  })
  page.on('pageerror', error => errors.push(error.message))
  page.on('response', response => {
    if (response.status() >= 400) errors.push(`${response.status()} ${response.url()}`)
  })
  await page.addInitScript(
    'globalThis.violations = []; document.addEventListener("securitypolicyviolation", e => ' +
      'violations.push(`${e.violatedDirective} ${e.blockedURI}`))',
  )
  return { outside, errors, violations: () => page.evaluate('violations') }
}

test(
  'with the network cut, the explorer finds an operation, sends it and shows the answer',
  { skip: chromiumMissing },
  async t => {
    const { origin } = await serveApp(t)
    const browser = await launchChromium(t)
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, serviceWorkers: 'block' })
    page.setDefaultTimeout(20_000)
    const { outside, errors, violations } = await watch(page, origin)

    await page.goto(`${origin}/docs`)
    await page.getByRole('button', { name: /Test Request.*get \/v1\/cat-facts\b/ }).click()
    const client = page.getByRole('dialog')
    const answered = page.waitForResponse(response => new URL(response.url()).pathname === '/v1/cat-facts')
    await client.getByRole('button', { name: /^Send\b.*\/v1\/cat-facts/s }).click()
    const answer = await answered
    t.equal(answer.status(), 200)
    const {
      data: {
        facts: [fact],
      },
    } = (await answer.json()) as { data: { facts: { text: string }[] } }

    await client.getByText('200 OK').first().waitFor()
    await client
      .getByText(fact?.text as string)
      .first()
      .waitFor()
    t.match(await client.innerText(), '"facts"', 'the body is shown')

    const picture = join(t.testdir(), 'explorer.png')
    await page.screenshot({ path: picture })
    t.ok(statSync(picture).size > 10_000, 'there is a picture of it')
    t.same(await violations(), [], 'the policy of the page was kept')
    t.same(errors, [], 'the console has no error')
    t.same(outside, [], 'no request left the origin')
  },
)

test('below a path prefix, the explorer sends its requests below that prefix', { skip: chromiumMissing }, async t => {
  const { origin } = await serveApp(t)
  const outer = fastify()
  t.teardown(() => outer.close())
  // A proxy that takes its own path off, which the app knows nothing of.
  outer.get('/cats/*', async (request, reply) => {
    const answer = await fetch(origin + request.url.slice('/cats'.length), { redirect: 'manual' })
    for (const name of ['content-type', 'content-security-policy', 'location'])
      reply.header(name, answer.headers.get(name) ?? undefined)
    return reply.code(answer.status).send(Buffer.from(await answer.arrayBuffer()))
  })
  const root = `${await outer.listen({ host: '127.0.0.1', port: 0 })}/cats`
  const browser = await launchChromium(t)
  const page = await browser.newPage({ serviceWorkers: 'block' })
  page.setDefaultTimeout(20_000)
  const { outside, errors } = await watch(page, new URL(root).origin)

  await page.goto(`${root}/docs/`)
  t.equal(page.url(), `${root}/docs`, 'a slash at the end leads to the page')
  await page.getByRole('button', { name: /Test Request.*get \/v1\/cat-facts\b/ }).click()
  const asked = page.waitForRequest(/\/v1\/cat-facts/)
  const client = page.getByRole('dialog')
  await client.getByRole('button', { name: /^Send\b.*\/v1\/cat-facts/s }).click()
  t.equal(new URL((await asked).url()).pathname, '/cats/v1/cat-facts')
  await client.getByText('200 OK').first().waitFor()
  t.same(errors, [])
  t.same(outside, [])
})

test(
  'on a narrow screen the operations are shown and nothing is wider than the screen',
  { skip: chromiumMissing },
  async t => {
    const { origin } = await serveApp(t)
    const browser = await launchChromium(t)
    const page = await browser.newPage({ viewport: { width: 390, height: 844 }, serviceWorkers: 'block' })
    page.setDefaultTimeout(20_000)
    const { outside, errors, violations } = await watch(page, origin)
    await page.goto(`${origin}/docs`)
    await page.getByRole('button', { name: /Test Request.*get \/v1\/cat-facts\b/ }).waitFor()
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), 390)
    t.same(await violations(), [])
    t.same(errors, [])
    t.same(outside, [])
  },
)

for (const width of [400, 1400]) {
  test(
    `at ${width} px no title runs under a button, and a field has a warning only if it is sent`,
    { skip: chromiumMissing },
    async t => {
      const odd = aggregate('odd', {
        url: '/odd',
        summary: 'An operation with a long summary that does not fit on a narrow screen',
        query: z.object({
          since: z.coerce.date().optional(),
          limit: z.coerce.number().int().min(1).optional(),
          needed: z.coerce.number().min(1),
        }),
        headers: z.object({ 'x-size': z.coerce.number().min(5).optional() }),
      }).reply(z.null(), () => null)
      const { origin } = await serveApp(t, { aggregates: [odd] })
      const browser = await launchChromium(t)
      const page = await browser.newPage({ viewport: { width, height: 850 }, serviceWorkers: 'block' })
      page.setDefaultTimeout(20_000)
      const { errors, violations } = await watch(page, origin)
      await page.goto(`${origin}/docs`)
      await page.getByRole('button', { name: /Test Request.*get \/odd/ }).click()
      const client = page.getByRole('dialog')
      await client.getByLabel('Include x-size in request').waitFor()

      const warnings = async () =>
        page.evaluate(
          "[...document.querySelectorAll('[role=dialog] tr')].filter(row => " +
            "row.querySelector('button[role=alert]')?.checkVisibility()).map(row => row.id)",
        )
      t.same(await warnings(), ['needed'], 'the field that is sent without a value')
      for (const name of ['since', 'limit', 'x-size', 'x-request-timeout-ms']) {
        const row = client.locator(`tr[id="${name}"]`)
        t.equal(await row.getByRole('checkbox').isChecked(), false, `${name} is not sent`)
        const background = await page.evaluate(
          `getComputedStyle(document.querySelector('tr[id="${name}"] td')).backgroundColor`,
        )
        t.equal(background, 'rgba(0, 0, 0, 0)', name)
      }
      await client.locator('tr[id="x-size"] [aria-label=" Value"]').fill('1')
      await page.waitForFunction('document.querySelector(\'tr[id="x-size"] button[role=alert]\')?.checkVisibility()')
      t.same(await warnings(), ['x-size', 'needed'], 'a value that is sent is checked')

      const boxes = await page.evaluate(
        '(() => { const box = element => element?.checkVisibility() ? element.getBoundingClientRect().toJSON() : undefined;' +
          "return { title: box(document.querySelector('header > span.whitespace-nowrap')), " +
          "close: box(document.querySelector('button.app-exit-button')) } })()",
      )
      const { title, close } = boxes as { title?: { right: number }; close: { left: number } }
      if (width === 400) t.ok(title !== undefined && title.right <= close.left, 'the title ends before the button')
      else t.equal(title, undefined, 'a wide screen has no such title')
      t.same(await violations(), [])
      t.same(errors, [])
    },
  )
}

test('the policy blocks requests of the page to another origin', { skip: chromiumMissing }, async t => {
  const { origin } = await serveApp(t)
  const browser = await launchChromium(t)
  const page = await browser.newPage({ serviceWorkers: 'block' })
  const { outside, errors, violations } = await watch(page, origin)
  await page.goto(`${origin}/docs`)
  await page.evaluate('fetch("http://127.0.0.1:9/").catch(() => {})')
  await page.evaluate(
    'new Promise(done => { const script = document.createElement("script"); script.text = ' +
      '"globalThis.ran = true"; document.body.append(script); setTimeout(done) })',
  )
  t.same(await violations(), ['connect-src http://127.0.0.1:9/', 'script-src-elem inline'], 'a violation would be seen')
  t.equal(await page.evaluate('globalThis.ran'), undefined)
  t.ok(errors.length >= 2, 'and an error too')
  t.same(outside, [], 'and nothing is asked')
})
