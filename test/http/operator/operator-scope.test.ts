import fastify from 'fastify'
import { test, type Test } from 'tap'
import { addCors } from '../../../src/http/guard/cors.ts'
import { operatorScope, rejectOperatorUrl } from '../../../src/http/operator/operator-scope.ts'
import { handleErrorsAsProblems } from '../../../src/http/problems/problem-handler.ts'
import { listening } from '../../helpers/listening.ts'
import { isProblem, type ProblemBody } from '../../helpers/problem.ts'

const key = 'admin-key-0123456789'
const bearer = { authorization: `Bearer ${key}` }

/** Serves one route of the operator and one of callers, with CORS for every origin. */
function serveScope(t: Test, access: { readonly key?: string }) {
  const app = fastify()
  handleErrorsAsProblems(app)
  addCors(app, ['*'])
  operatorScope(app, access, scope => scope.get('/secret', async () => 'secret'))
  app.get('/open', async () => 'open')
  return listening(t, app)
}

test('a route of the operator with a key is served to requests with this key only', async t => {
  const ask = await serveScope(t, { key })
  isProblem(t, await ask<ProblemBody>('/secret'), 401, 'UNAUTHENTICATED')
  isProblem(
    t,
    await ask<ProblemBody>('/secret', { headers: { authorization: `Bearer ${key}0` } }),
    401,
    'UNAUTHENTICATED',
  )
  t.match(await ask('/secret', { headers: bearer }), { status: 200, text: 'secret' })
  t.match(await ask('/open'), { status: 200, text: 'open' }, 'a route outside the scope needs no key')
})

test('a reply of the operator cannot be stored or read by a page of another origin, also if it is refused', async t => {
  for (const access of [{}, { key }]) {
    const ask = await serveScope(t, access)
    for (const headers of [{}, bearer]) {
      const got = await ask('/secret', { headers: { ...headers, origin: 'https://app.example' } })
      t.equal(got.headers.get('cache-control'), 'no-store')
      t.equal(got.headers.get('cross-origin-resource-policy'), 'same-origin')
      t.notOk(got.headers.has('access-control-allow-origin'))
    }
    const open = await ask('/open', { headers: { origin: 'https://app.example' } })
    t.equal(open.headers.get('access-control-allow-origin'), '*', 'a route outside the scope keeps CORS')
    t.notOk(open.headers.has('cache-control'))
  }
})

const routed = (url: string) => [{ name: 'taken', route: { url } }]
const one = { path: '/one', serves: 'its one', fix: 'set ONE=0' }

test('an aggregate at a path of the operator is refused with its name and the fix', async t => {
  for (const url of ['/one', '/%6fne'])
    t.throws(() => rejectOperatorUrl(routed(url), one), {
      name: 'TypeError',
      message: `app: the url of the aggregate 'taken' is ${url}, where the app serves its one: change the url, or set ONE=0`,
    })
  for (const url of ['/one/two', '/ones', '/{one}', '/']) rejectOperatorUrl(routed(url), one)
  rejectOperatorUrl([undefined, {}], one)
  rejectOperatorUrl(undefined as never, one)
  t.pass('other paths are accepted, and a wrong list is left to the plugin')
})

test('an aggregate below a path of the operator is refused if the paths below it are the operator’s', async t => {
  const below = { ...one, hasPathsBelow: true }
  for (const url of ['/one', '/one/two', '/one/{name}', '/%6fne/two/three'])
    t.throws(() => rejectOperatorUrl(routed(url), below), { message: `is ${url}, where the app serves its one` }, url)
  for (const url of ['/ones/two', '/two/one', '/{one}/two', '/']) rejectOperatorUrl(routed(url), below)
})
