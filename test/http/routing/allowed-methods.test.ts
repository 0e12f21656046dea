import fastify from 'fastify'
import { test } from 'tap'
import { acceptAllMethods, allowMethods } from '../../../src/http/routing/allowed-methods.ts'

test('the allowed methods of a path name QUERY if the path serves it', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  acceptAllMethods(app)
  for (const method of ['POST', 'QUERY']) app.route({ method, url: '/batch', handler: async () => 'done' })
  t.equal(allowMethods(app, '/batch', ['POST', 'QUERY']), 'QUERY, POST, OPTIONS')
  t.equal((await app.inject({ method: 'OPTIONS', url: '/batch' })).headers.allow, 'QUERY, POST, OPTIONS')
  t.equal((await app.inject({ method: 'PUT', url: '/batch' })).headers.allow, 'QUERY, POST, OPTIONS')
})
