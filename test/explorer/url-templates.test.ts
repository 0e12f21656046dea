import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { chromiumMissing, launchChromium } from '../helpers/chromium.ts'
import { serveApp } from '../helpers/served-app.ts'

const params = z.object({ lat: z.string().meta({ examples: ['52.5'] }), lon: z.string().meta({ examples: ['1,2/3'] }) })
const weather = aggregate('weather', { url: '/weather/{lat},{lon}', params }).reply(params, ({ params: all }) => all)
const cancel = aggregate('cancel', {
  url: '/caf%C3%A9/{id}:cancel',
  params: z.object({ id: z.string().meta({ examples: ['7'] }) }),
}).reply(z.string(), ({ params: { id } }) => id)

test('the explorer sends requests for templates with text beside a parameter', { skip: chromiumMissing }, async t => {
  const { origin } = await serveApp(t, { aggregates: [weather, cancel] })
  const browser = await launchChromium(t)
  const page = await browser.newPage({ viewport: { width: 1280, height: 3000 }, serviceWorkers: 'block' })
  page.setDefaultTimeout(20_000)
  for (const [start, data] of [
    ['/weather/', { lat: '52.5', lon: '1,2/3' }],
    ['/caf%C3%A9/', '7'],
  ] as const) {
    await page.goto(`${origin}/docs`)
    await page.getByRole('button', { name: new RegExp(`Test Request.*get ${start}`) }).click()
    const client = page.getByRole('dialog')
    const answered = page.waitForResponse(response => new URL(response.url()).pathname.startsWith(start))
    await client.getByRole('button', { name: /^Send get request/ }).click()
    const answer = await answered
    t.equal(answer.status(), 200, answer.url())
    t.match(await answer.json(), { data })
  }
})
