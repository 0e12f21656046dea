import { createHook } from 'node:async_hooks'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import fastify from 'fastify'
import { test, type Test } from 'tap'
import { lazyBundle } from '../../src/http/explorer/bundle.ts'
import { bundleVersion } from '../../src/http/explorer/page.ts'
import { addExplorer } from '../../src/http/explorer/explorer.ts'
import { serveApp } from '../helpers/served-app.ts'

const bundlePath = `/docs/scalar-${bundleVersion}.js`

interface Raw {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Asks without the help of a client that follows, decodes or adds. */
async function ask(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Raw> {
  const asked = request(url, { method, headers, agent: false }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) }
}

/** The explorer below `/api` of somebody's app. */
async function mounted(t: Test): Promise<string> {
  const app = fastify()
  t.teardown(() => app.close())
  void app.register(
    (scope, _options, done) => {
      addExplorer(scope, 'Somebody <& co>')
      scope.get('/openapi.json', () => ({ openapi: '3.1.1' }))
      done()
    },
    { prefix: '/api' },
  )
  return (await app.listen({ host: '127.0.0.1', port: 0 })) + '/api'
}

const urlsOf = (html: string) => Array.from(html.matchAll(/\b(?:src|href)="([^"]*)"/g), ([, url = '']) => url)

test('the page has the title of the API', async t => {
  const { body } = await ask(`${await mounted(t)}/docs`)
  t.match(body.toString(), '<title>Somebody &lt;&amp; co></title>')
  const { origin } = await serveApp(t, { info: { title: 'Cats' } })
  t.match((await ask(`${origin}/docs`)).body.toString(), '<title>Cats</title>')
})

test('the page runs scripts of its own origin only, and none of them inline', async t => {
  const { origin } = await serveApp(t)
  const { status, headers, body } = await ask(`${origin}/docs`)
  t.equal(status, 200)
  t.equal(headers['content-type'], 'text/html; charset=utf-8')
  t.equal(headers['x-content-type-options'], 'nosniff')
  t.equal(headers['referrer-policy'], 'no-referrer')

  const policy = Object.fromEntries(
    (headers['content-security-policy'] as string)
      .split('; ')
      .map(each => [each.split(' ')[0], each.split(' ').slice(1).join(' ')]),
  )
  t.same(policy, {
    'default-src': "'none'",
    'script-src': "'self'",
    'style-src': "'self' 'unsafe-inline'",
    'img-src': "'self' data:",
    'font-src': "'self' data:",
    'connect-src': "'self'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
  })
  const html = body.toString()
  const scripts = Array.from(html.matchAll(/<script\b([^>]*)>([^]*?)<\/script>/g), ([, attributes = '', text]) => ({
    hasSource: attributes.includes('src="'),
    text,
  }))
  t.ok(scripts.length > 0)
  for (const script of scripts) t.same(script, { hasSource: true, text: '' })
  t.notMatch(html, /\son\w+=/, 'no handler in an attribute')
  t.same(
    urlsOf(html).filter(url => /^(?:\w+:)?\/\//.test(url)),
    [],
    'no URL names a host',
  )
})

test('the URLs in the page are served under any prefix', async t => {
  for (const root of [(await serveApp(t)).origin, await mounted(t)]) {
    const html = (await ask(`${root}/docs`)).body.toString()
    const scripts = urlsOf(html).filter(url => url.endsWith('.js'))
    t.equal(scripts.length, 2)
    for (const script of scripts) {
      const { status, headers, body } = await ask(new URL(script, `${root}/docs`).href)
      t.equal(status, 200, script)
      t.equal(headers['content-type'], 'text/javascript; charset=utf-8')
      t.equal(headers['x-content-type-options'], 'nosniff')
      t.ok(body.length > 100)
    }
    t.equal(new URL('openapi.json', `${root}/docs`).href, `${root}/openapi.json`)
  }
})

test('a trailing slash redirects to the page under any prefix', async t => {
  for (const root of [(await serveApp(t)).origin, await mounted(t)]) {
    const { status, headers } = await ask(`${root}/docs/`)
    t.equal(status, 308)
    t.equal(new URL(headers.location as string, `${root}/docs/`).href, `${root}/docs`)
  }
})

test('HEAD gets the reply of GET without a body', async t => {
  const { origin } = await serveApp(t)
  const { status, headers, body } = await ask(`${origin}/docs`, {}, 'HEAD')
  t.equal(status, 200)
  t.match(headers['content-security-policy'], "default-src 'none'")
  t.equal(body.length, 0)
})

test('a browser stores the page and its script, and revalidates them each time', async t => {
  const { origin } = await serveApp(t)
  for (const path of ['/docs', '/docs/explorer.js']) {
    const { headers } = await ask(origin + path)
    t.equal(headers['cache-control'], 'no-cache')
    t.match(headers.etag, /^"[\w-]+"$/)
    const again = await ask(origin + path, { 'if-none-match': `"other", ${headers.etag}` })
    t.equal(again.status, 304)
    t.equal(again.body.length, 0)
    t.equal((await ask(origin + path, { 'if-none-match': '"other"' })).status, 200)
  }
})

test('the bundle is immutable, under a URL with its version', async t => {
  const { origin } = await serveApp(t)
  const { headers } = await ask(origin + bundlePath, { 'accept-encoding': 'gzip, deflate, br' })
  t.equal(headers['cache-control'], 'public, max-age=31536000, immutable')
  const again = await ask(origin + bundlePath, { 'if-none-match': headers.etag as string })
  t.equal(again.status, 304)
  t.equal(again.body.length, 0)
  t.equal((await ask(`${origin}/docs/scalar-0.0.0.js`)).status, 404, 'another version is not there')
})

test('the version in the URL is the installed and pinned one', async t => {
  const read = (path: string) =>
    JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')) as {
      version: string
      dependencies: Record<string, string>
    }
  t.equal(read('node_modules/@scalar/fastify-api-reference/package.json').version, bundleVersion)
  t.equal(read('package.json').dependencies['@scalar/fastify-api-reference'], bundleVersion)
})

test('the bundle is compressed if the caller accepts gzip', async t => {
  const { origin } = await serveApp(t)
  const plain = await ask(origin + bundlePath)
  t.equal(plain.headers['content-encoding'], undefined)
  t.match(plain.body.toString('latin1'), 'createApiReference')
  for (const encodings of ['gzip', 'gzip, deflate, br, zstd', 'br;q=1, GZIP;q=0.5', 'x-gzip']) {
    const { headers, body } = await ask(origin + bundlePath, { 'accept-encoding': encodings })
    t.equal(headers['content-encoding'], 'gzip', encodings)
    t.equal(headers.vary, 'accept-encoding')
    t.ok(body.length < plain.body.length / 3, 'it is much shorter')
    t.ok(gunzipSync(body).equals(plain.body), 'and holds the same')
  }
  for (const encodings of ['identity', 'br', 'gzip;q=0', 'gzip; q=0.000, br']) {
    const { headers, body } = await ask(origin + bundlePath, { 'accept-encoding': encodings })
    t.equal(headers['content-encoding'], undefined, encodings)
    t.equal(headers.vary, 'accept-encoding')
    t.ok(body.equals(plain.body))
  }
})

test('the bundle is decompressed once for all requests without gzip', async t => {
  const { origin } = await serveApp(t)
  let decompressions = 0
  const hook = createHook({
    init(_id, type) {
      if (type === 'ZLIB') decompressions++
    },
  }).enable()
  t.teardown(() => hook.disable())
  const all = await Promise.all(Array.from({ length: 3 }, () => ask(origin + bundlePath)))
  all.push(await ask(origin + bundlePath), await ask(origin + bundlePath))
  t.same(new Set(all.map(({ status, body }) => `${status} ${body.length}`)).size, 1)
  t.equal(decompressions, 1)
})

test('a bundle that could not be read is read again at the next request', async t => {
  let times = 0
  const bundle = lazyBundle(() =>
    ++times === 1 ? Promise.reject(new Error('no file')) : Promise.resolve(Buffer.from('a')),
  )
  const both = await Promise.allSettled([bundle(), bundle()])
  t.same(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  t.equal(times, 1, 'those who wait together wait for one reading')
  t.equal((await bundle()).toString(), 'a')
  t.equal((await bundle()).toString(), 'a')
  t.equal(times, 2)
})
