import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../../src/errors.ts'
import { recordLocation } from '../../../src/upstream/call/redirect-location.ts'
import { redirect } from '../../../src/upstream/policies/redirect.ts'
import { Call } from '../../../src/upstream/call/call.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { testRun } from '../../helpers/call.ts'
import { heldService } from '../../helpers/held-service.ts'
import { serviceOf } from '../../../src/upstream/call/layer.ts'
import { questions } from '../../helpers/questions.ts'
import { turn } from '../../helpers/turn.ts'

const layer = redirect({ upstream: 'cats', origin: 'http://a.example', prefix: '', credential: undefined, limit: 3 })

function moved(location: string, upstreamStatus = 302): UpstreamError {
  const error = new UpstreamError('UPSTREAM_STATUS', 'cats', { upstreamStatus })
  recordLocation(error, location)
  return error
}

test('a permit is held until the redirected responses have left their connections', async t => {
  for (const isLastHeld of [true, false])
    for (const isAnswered of [true, false]) {
      const bottom = heldService()
      const call = testRun().ask(questions.ask())
      const asked = layer(bottom.service)(call).catch((error: unknown) => error)
      const rests = [0, 1, 2].map(() => Promise.withResolvers<void>())
      for (const [at, rest] of rests.entries()) {
        const [next] = bottom.held
        t.equal(call.attempt.held, undefined, 'the next request starts without a rest')
        if (at < 2 || isLastHeld) call.attempt.held = rest.promise
        if (at < 2) next?.fail(moved(`/${at}`))
        else if (isAnswered) next?.answer('well')
        else next?.fail(new UpstreamError('UPSTREAM_RESET', 'cats'))
        await turn()
      }
      t.match(await asked, isAnswered ? { value: 'well' } : { code: 'UPSTREAM_RESET' })

      let isFree = false
      void call.attempt.held?.then(() => {
        isFree = true
      })
      for (const rest of isLastHeld ? rests : rests.slice(0, 2)) {
        await turn()
        t.equal(isFree, false)
        rest.resolve()
      }
      await turn()
      t.equal(isFree, true)
    }
})

test('a redirect without a rest leaves the permit as it is', async t => {
  const bottom = heldService()
  const call = testRun().ask(questions.ask())
  const asked = layer(bottom.service)(call)
  bottom.held[0]?.fail(moved('/b'))
  await turn()
  t.equal(bottom.held[0]?.call.path, '/b')
  bottom.held[0]?.answer('well', 200, { 'cache-control': 'max-age=60' })
  t.same(await asked, { value: 'well', status: 200 })
  t.equal(call.attempt.held, undefined)
})

test('a safe call with a body is redirected with its method and its body, or not at all', async t => {
  for (const [method, status, isFollowed] of [
    ['POST', 307, true],
    ['POST', 308, true],
    ['POST', 301, false],
    ['POST', 302, false],
    ['POST', 303, false],
    ['QUERY', 301, true],
    ['QUERY', 302, true],
    ['QUERY', 303, false],
    ['QUERY', 307, true],
  ] as const) {
    const bottom = heldService()
    const { spec } = questions.ask()
    const call = testRun().ask(new Call<unknown>({ ...spec, method, safe: true }, '/ask', '{}', undefined))
    const asked = layer(bottom.service)(call).catch((error: unknown) => error)
    const error = moved('/b', status)
    bottom.held[0]?.fail(error)
    await turn()
    if (isFollowed) {
      t.match(bottom.held[0]?.call, { path: '/b', body: '{}', spec: { method } }, `${method} ${status}`)
      bottom.held[0]?.answer('well')
      t.match(await asked, { value: 'well' })
    } else t.equal(await asked, error, `${method} ${status}`)
  }
})

test('a safe call whose body is a stream is not redirected', async t => {
  const { upload } = defineUpstream(
    'cats',
    { origin: 'http://a.example' },
    {
      upload: operation({
        method: 'POST',
        safe: true,
        path: '/upload',
        bodyType: 'bytes',
        body: z.custom<ReadableStream<Uint8Array>>(),
        output: z.unknown(),
      }),
    },
  )
  const bottom = heldService()
  const asked = layer(bottom.service)(testRun().ask(upload({ body: new ReadableStream() })))
  const error = moved('/b', 307)
  bottom.held[0]?.fail(error)
  await t.rejects(asked, error)
  t.equal(bottom.taken, 1)
})

test('whatever redirects name, an attempt ends after at most limit + 1 requests, at their end or with its reason', async t => {
  const target = fc.constantFrom('answer', '/0', '/1', '/2', '/3', '/4', 'http://other.example/', '/a%2fb')
  await fc.assert(
    fc.asyncProperty(
      fc.array(target, { minLength: 5, maxLength: 5 }),
      fc.integer({ min: 1, max: 5 }),
      async (map, limit) => {
        const sent: string[] = []
        const service = serviceOf((call, completion) => {
          sent.push(call.path)
          const to = map[Number(call.path.slice(1))] as string
          if (to === 'answer') completion.resolve({ value: call.path as never, status: 200 })
          else completion.reject(moved(to))
        })
        const { spec } = questions.ask()
        const call = testRun().ask(new Call<unknown>(spec, '/0', undefined, undefined))
        const options = { upstream: 'cats', origin: 'http://a.example', prefix: '', credential: undefined, limit }
        const result = await redirect(options)(service)(call).then(
          ({ value }) => value as string,
          (error: unknown) => (error as Error).message.split(': ').at(-1),
        )

        const path = ['/0']
        let expected: string | undefined
        for (let step = 0; expected === undefined && step <= limit; step++) {
          const at = path.at(-1) as string
          const to = map[Number(at.slice(1))] as string
          if (to === 'answer') expected = at
          else if (to.startsWith('http')) expected = 'its redirect leaves the origin'
          else if (to === '/a%2fb') expected = 'its location contains a backslash or a slash that is encoded'
          else if (path.includes(to)) expected = 'its redirects form a loop'
          else if (step === limit) expected = `it redirects more than ${limit} time${limit === 1 ? '' : 's'}`
          else path.push(to)
        }
        t.same(sent, path)
        t.equal(result, expected)
      },
    ),
    { numRuns: 300 },
  )
})
