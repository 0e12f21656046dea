import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { serveApp } from '../helpers/served-app.ts'

test('the root redirects to the explorer, and its body names the explorer and the document', async t => {
  const { origin, get } = await serveApp(t)
  for (const path of ['/', '/?utm=1', '']) {
    const { status, headers, body } = await get(path, { redirect: 'manual' })
    t.equal(status, 302, path)
    t.equal(headers.get('location'), './docs')
    t.equal(headers.get('cache-control'), 'no-store')
    t.equal(headers.get('content-type'), 'application/json; charset=utf-8')
    t.match(headers.get('x-request-id'), /\w/)
    t.equal(headers.get('x-content-type-options'), 'nosniff')
    t.same(body, { docs: '/docs', openapi: '/openapi.json' })
  }
  const followed = await fetch(`${origin}/`)
  t.equal(followed.url, `${origin}/docs`)
  t.equal(followed.status, 200)
  t.match(followed.headers.get('content-type'), 'text/html')
  await followed.text()
  for (const path of ['/docs', '/openapi.json']) t.equal((await fetch(origin + path, { method: 'HEAD' })).status, 200)
})

test('the root allows GET and HEAD, and other unknown paths stay 404', async t => {
  const { get } = await serveApp(t)
  t.match(await get('/', { method: 'HEAD', redirect: 'manual' }), { status: 302, text: '' })
  for (const method of ['POST', 'DELETE', 'PROPFIND']) {
    const { status, headers, body } = await get('/', { method, ...(method === 'POST' && { body: '{' }) })
    t.equal(status, 405, method)
    t.equal(headers.get('allow'), 'HEAD, GET, OPTIONS')
    t.match(body, { code: 'METHOD_NOT_ALLOWED' })
  }
  const options = await get('/', { method: 'OPTIONS' })
  t.same([options.status, options.headers.get('allow')], [204, 'HEAD, GET, OPTIONS'])
  for (const path of ['/nowhere', '/%2F', '//']) t.match(await get(path), { status: 404 }, path)
})

test('an aggregate or a route of the app at the root has precedence', async t => {
  const root = aggregate('root', { url: '/', envelope: false }).reply(z.string(), () => 'mine')
  const { get } = await serveApp(t, { aggregates: [root] })
  t.match(await get('/'), { status: 200, body: 'mine' })

  const posted = aggregate('posted', { url: '/', method: 'POST' }).reply(z.string(), () => 'mine')
  const other = await serveApp(t, { aggregates: [posted] })
  const { status, headers } = await other.get('/')
  t.same([status, headers.get('allow')], [405, 'POST, OPTIONS'])

  const app = buildApp([])
  t.teardown(() => app.close())
  void app.register(async scope => {
    scope.get('/*', () => ({ page: true }))
  })
  t.equal((await app.inject('/')).body, '{"page":true}')
})

test('the root needs no key, as the explorer does not', async t => {
  const app = buildApp([], { keys: ['0123456789abcdef'], rateLimit: 1, corsOrigins: ['*'] })
  t.teardown(() => app.close())
  for (let times = 0; times < 3; times++) t.equal((await app.inject('/')).statusCode, 302)
})
