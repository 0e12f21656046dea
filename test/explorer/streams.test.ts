import { join } from 'node:path'
import { statSync } from 'node:fs'
import { test, type Test } from 'tap'
import { chromiumMissing, launchChromium } from '../helpers/chromium.ts'
import { serveApp } from '../helpers/served-app.ts'

/** Opens the explorer, and the client of an operation. */
async function openClient(t: Test, place: string, operation: RegExp) {
  const { origin } = await serveApp(t)
  const browser = await launchChromium(t)
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, serviceWorkers: 'block' })
  page.setDefaultTimeout(20_000)
  await page.goto(`${origin}/docs${place}`)
  await page.getByRole('button', { name: operation }).click()
  const client = page.getByRole('dialog')
  await client.locator('tr[id="x-request-id"]').waitFor()
  return { page, client }
}

const aggregate = /Test Request.*get \/v1\/cat-facts\b/

for (const [accept, shown] of [
  ['application/x-ndjson', '"event": "reply"'],
  ['text/event-stream', 'event: reply'],
] as const)
  test(
    `the explorer sends an accept header for ${accept}, and shows the events`,
    { skip: chromiumMissing },
    async t => {
      const { page, client } = await openClient(t, '', aggregate)
      const headers = client.locator('table', { has: page.locator('tr[id="x-request-id"]') }).locator('tr')
      const row = await headers.count()
      await headers.last().locator('[aria-label=" Key"]').fill('accept')
      await headers.nth(row).waitFor()
      await headers
        .nth(row - 1)
        .locator('[aria-label=" Value"]')
        .fill(accept)
      await headers
        .nth(row - 1)
        .locator('[aria-label=" Value"]')
        .blur()
      await client.locator('tr[id="accept"] .line-through').first().waitFor()
      const asked = page.waitForResponse(/\/v1\/cat-facts/)
      await client.getByRole('button', { name: /^Send\b.*\/v1\/cat-facts/s }).click()
      const answer = await asked
      t.equal(answer.request().headers()['accept'], accept)
      t.equal(answer.headers()['content-type'], accept)
      await client.getByText('200 OK').first().waitFor()
      await client.getByText(shown).first().waitFor()

      const picture = join(t.testdir(), 'stream.png')
      await page.screenshot({ path: picture })
      t.ok(statSync(picture).size > 10_000, 'there is a picture of it')
    },
  )

test('the explorer sends the example of a batch and shows its results', { skip: chromiumMissing }, async t => {
  const { page, client } = await openClient(t, '#tag/batches/POST/v1/batch', /Test Request.*post \/v1\/batch\b/)
  const asked = page.waitForResponse(/\/v1\/batch/)
  await client.getByRole('button', { name: /^Send\b.*\/v1\/batch/s }).click()
  const answer = await asked
  t.match(await answer.json(), {
    results: [
      { id: 'a', state: 'ok' },
      { id: 'b', state: 'ok' },
    ],
    complete: true,
  })
  await client.getByText('200 OK').first().waitFor()
  t.match(await client.innerText(), '"results"')
})
