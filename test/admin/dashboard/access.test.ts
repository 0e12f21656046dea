import { request } from 'node:http'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { test } from 'tap'
import { openReader } from './helpers/open-reader.ts'
import { serveDashboard } from './helpers/served-dashboard.ts'

const key = 'admin-key-0123456789'
const dataPaths = ['/dashboard/events', '/dashboard/upstreams/cats']
const pagePaths = ['/dashboard', '/dashboard/assets/uplot.js']

/** Returns the status of a request for a host name. */
async function statusFor(port: number, path: string, host: string): Promise<number | undefined> {
  const asked = request({ port, path, headers: { host }, agent: false }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  response.destroy()
  return response.statusCode
}

test('with a key every reply with data is 401 without it, and the page has no data', async t => {
  const { origin, live } = await serveDashboard(t, { key })
  for (const path of dataPaths) {
    for (const authorization of [undefined, `Bearer ${key}x`, key, `Basic ${btoa(`admin:${key}`)}`]) {
      const response = await fetch(origin + path, { headers: authorization === undefined ? {} : { authorization } })
      t.equal(response.status, 401, `${path} with ${authorization}`)
      await response.text()
    }
    t.equal((await fetch(`${origin}${path}?key=${key}`)).status, 401, 'the key is not read from the URL')
  }
  t.equal(live.isWatched, false)
  for (const path of pagePaths) {
    const response = await fetch(origin + path)
    t.equal(response.status, 200, path)
    t.notMatch(await response.text(), /cats|pets/)
  }
  const { next } = await openReader(t, origin, { authorization: `Bearer ${key}` })
  t.match(await next('hello'), { type: 'hello' })
})

test('without a key the data is refused for a host that is a name', async t => {
  const { port } = await serveDashboard(t)
  for (const path of dataPaths) {
    t.equal(await statusFor(port, path, 'attacker.example'), 421, path)
    t.equal(await statusFor(port, path, 'localhost'), 200, path)
  }
})

test('no page of another origin can read the data', async t => {
  const { origin } = await serveDashboard(t)
  for (const path of dataPaths) {
    const response = await fetch(origin + path, { headers: { origin: 'http://attacker.example' } })
    t.equal(response.headers.get('access-control-allow-origin'), null)
    t.equal(response.headers.get('cross-origin-resource-policy'), 'same-origin')
    t.equal(response.headers.get('x-content-type-options'), 'nosniff')
    await response.body?.cancel()
  }
})
