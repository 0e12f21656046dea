import { test } from 'tap'
import type { Postcard } from '../../src/schemas/postcard.ts'
import { hostileUpstream } from '../helpers/hostile-upstream.ts'
import { isProblem, type ProblemBody } from '../helpers/problem.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { serveApp } from '../helpers/served-app.ts'

interface Reply {
  readonly data: Postcard
  readonly complete: boolean
  readonly sources: Readonly<Record<string, { readonly state: string }>>
}

const order = (fields: object = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ greeting: 'Hello!', breeds: ['abys', 'beng'], ...fields }),
})

test('a postcard has the greeting, a fact and a picture', async t => {
  const { get } = await serveApp(t)
  const { status, body } = await get<Reply>('/v1/postcards', order({ greeting: '  Hello!  ' }))
  t.equal(status, 200)
  t.match(body, {
    complete: true,
    data: { greeting: 'Hello!', fact: /\w/, picture: { url: /^https:/ } },
    sources: { fact: { state: 'ok' }, pictures: { state: 'ok' } },
  })
})

test('the source that answers is taken when the other fails or hangs', async t => {
  for (const kind of ['down', 'answers 500', 'takes the request and says nothing'] as const) {
    for (const [bad, good, fact] of [
      ['catfact-ninja', 'meowfacts', { data: ['Cats sleep.'] }],
      ['meowfacts', 'catfact-ninja', { fact: 'Cats sleep.', length: 11 }],
    ] as const) {
      const well = await rawUpstream(t, json(fact))
      const { get } = await serveApp(t, {
        overrides: { [bad]: { origin: (await hostileUpstream(t, bad, kind)).origin }, [good]: { origin: well.origin } },
      })
      t.match(
        await get<Reply>('/v1/postcards', order()),
        { status: 200, body: { data: { fact: 'Cats sleep.' } } },
        `${bad} ${kind}`,
      )
    }
  }
})

test('when the first fact has come, the other source is left alone', async t => {
  const slow = await rawUpstream(t, () => {})
  const { get } = await serveApp(t, { overrides: { meowfacts: { origin: slow.origin } } })
  const before = performance.now()
  t.equal((await get<Reply>('/v1/postcards', order())).status, 200)
  t.ok(performance.now() - before < 700, 'without waiting for the deadline')
  await slow.deserted()
  t.equal(slow.open, 0, 'its connection is closed')
})

test('when every source of facts fails, the reply has the first failure', async t => {
  const origin = async (name: 'catfact-ninja' | 'meowfacts') => ({
    origin: (await hostileUpstream(t, name, 'down')).origin,
  })
  const { get } = await serveApp(t, {
    overrides: { 'catfact-ninja': await origin('catfact-ninja'), meowfacts: await origin('meowfacts') },
  })
  isProblem(t, await get<ProblemBody>('/v1/postcards', order()), 502, 'UPSTREAM_UNREACHABLE')
})

test('an unknown breed is an error of the caller', async t => {
  const { get } = await serveApp(t)
  isProblem(t, await get<ProblemBody>('/v1/postcards', order({ breeds: ['zzzz'] })), 404, 'REFUSED')
})

test('the picture is of the first breed that has one', async t => {
  const { get } = await serveApp(t)
  const { status, body } = await get<Reply>('/v1/postcards', order({ breeds: ['zzzz', 'abys'] }))
  t.equal(status, 200)
  t.match(body.data.picture.url, /^https:/)
})

test('one problem lists every fault of an order', async t => {
  const { get } = await serveApp(t)
  const got = await get<ProblemBody>('/v1/postcards', order({ greeting: '', breeds: ['siam', 'Bengal'] }))
  isProblem(t, got, 400, 'INPUT_INVALID')
  t.same(
    got.body.errors?.map(({ pointer }) => pointer),
    ['/body/greeting', '/body/breeds/1'],
  )
})
