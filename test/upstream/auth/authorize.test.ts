import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../../src/errors.ts'
import { Abort } from '../../../src/core/abort.ts'
import { authorize, type Token } from '../../../src/upstream/auth/authorize.ts'
import type { Call } from '../../../src/upstream/call/call.ts'
import type { Service } from '../../../src/upstream/call/layer.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { heldService } from '../../helpers/held-service.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { questions } from '../../helpers/questions.ts'
import { turn } from '../../helpers/turn.ts'

const refused = () => new UpstreamError('UPSTREAM_STATUS', 'nobody', { upstreamStatus: 401 })
const noToken = () => new UpstreamError('UPSTREAM_AUTH', 'nobody', {})
const minute = 60_000

/** The layer with a clock and an endpoint in the test's hand; calls are answered with the token they left with. */
function arrange(answer: (token: string) => void = () => {}) {
  const clock = { ms: 0 }
  const asked: PromiseWithResolvers<Token>[] = []
  const sent: string[] = []
  let current = 'none'
  const layer = authorize({
    now: () => clock.ms,
    use: token => {
      current = token
    },
    fetchToken: () => {
      const request = Promise.withResolvers<Token>()
      asked.push(request)
      return request.promise
    },
  })
  const bottom: Service = async <T>() => {
    const token = current
    sent.push(token)
    await turn()
    answer(token)
    return { value: token as T, status: 200 }
  }
  const service = layer(bottom)
  const run = testRun()
  return {
    clock,
    asked,
    sent,
    run,
    send: (call: Call<unknown>) => service(run.ask(call)),
    ask: async (abort?: Abort) => (await service(run.ask(questions.ask(), abort && { abort }))).value,
    /** The endpoint answers its latest request. */
    give: async (value: string, livesMs = minute) => {
      asked.at(-1)?.resolve({ value, livesMs })
      await turn()
    },
    fail: async () => {
      asked.at(-1)?.reject(noToken())
      await turn()
    },
  }
}

test('a hundred calls that have no token ask for one, once, and leave with it', async t => {
  const { ask, asked, give, sent } = arrange()
  const answers = Array.from({ length: 100 }, () => ask())
  t.same(sent, [], 'none leaves without')
  t.equal(asked.length, 1)
  await give('a')
  t.same(new Set(await Promise.all(answers)), new Set(['a']))
  t.equal(await ask(), 'a')
  t.equal(asked.length, 1)
})

test('a token without a life serves the calls that wait for it, and every later call asks for another', async t => {
  const { ask, asked, give } = arrange()
  const first = [ask(), ask()]
  await give('a', 0)
  t.same(await Promise.all(first), ['a', 'a'])
  t.equal(asked.length, 1)
  const second = ask()
  await give('b', 0)
  t.equal(await second, 'b')
  t.equal(asked.length, 2)
})

test('a token is renewed ahead of its end behind the calls, once', async t => {
  const { ask, asked, give, clock } = arrange()
  const first = ask()
  await give('a')
  await first
  clock.ms = 53_999
  await ask()
  t.equal(asked.length, 1, 'a tenth of its life before the end')
  clock.ms = 54_000
  t.same(await Promise.all([ask(), ask(), ask()]), ['a', 'a', 'a'], 'without waiting')
  t.equal(asked.length, 2)
  await give('b')
  t.equal(await ask(), 'b')
  t.equal(asked.length, 2)
})

test('a token with a long life is renewed 30 s before its end', async t => {
  const { ask, asked, give, clock } = arrange()
  const first = ask()
  await give('a', 60 * minute)
  await first
  clock.ms = 60 * minute - 30_001
  await ask()
  t.equal(asked.length, 1)
  clock.ms++
  await ask()
  t.equal(asked.length, 2)
})

test('a token that has ended is waited for; its life counts from when it was asked for', async t => {
  const { ask, asked, give, clock, sent } = arrange()
  const first = ask()
  clock.ms = 5000
  await give('a')
  await first
  clock.ms = minute
  const answers = [ask(), ask()]
  t.equal(asked.length, 2)
  t.same(sent, ['a'])
  await give('b')
  t.same(await Promise.all(answers), ['b', 'b'])
})

test('a renewal ahead of time that fails fails no call, and is tried again after a second', async t => {
  const { ask, asked, give, fail, clock } = arrange()
  const first = ask()
  await give('a')
  await first
  clock.ms = 54_000
  t.equal(await ask(), 'a')
  await fail()
  t.equal(await ask(), 'a')
  t.equal(asked.length, 2, 'a failure stands for a second')
  clock.ms = 55_000
  t.equal(await ask(), 'a')
  t.equal(asked.length, 3)
})

test('without a token a call fails, and so do those of the next second, at once', async t => {
  const { ask, asked, fail, give, clock, sent } = arrange()
  const failures = [failure(ask()), failure(ask())]
  await fail()
  for (const each of failures) t.match(await each, { code: 'UPSTREAM_AUTH' })
  clock.ms = 999
  t.match(await failure(ask()), { code: 'UPSTREAM_AUTH' })
  t.equal(asked.length, 1)
  clock.ms = 1000
  const later = ask()
  await give('a')
  t.equal(await later, 'a')
  t.same(sent, ['a'])
})

test('a call that is aborted while a token is fetched ends alone, and the calls that wait for the token go on', async t => {
  const { ask, asked, give, run, sent } = arrange()
  const own = new Abort()
  const leaves = failure(ask(own))
  const stays = ask()
  own.abort('gone')
  t.equal(await leaves, 'gone')
  t.equal(own.size, 0)
  await give('a')
  t.equal(await stays, 'a')
  t.equal(asked.length, 1)
  t.same(sent, ['a'], 'the one that left was not sent')
  t.equal(run.abort.size, 0)
})

test('a token that is refused is renewed once for all, and each call that was refused is sent once more', async t => {
  const { ask, asked, give, sent } = arrange(token => {
    if (token === 'a') throw refused()
  })
  const answers = Array.from({ length: 20 }, () => ask())
  await give('a')
  await turn()
  t.equal(asked.length, 2)
  await give('b')
  t.same(new Set(await Promise.all(answers)), new Set(['b']))
  t.equal(asked.length, 2)
  t.equal(sent.length, 40)
})

test('a call that is refused after another call has renewed the token is sent again with the new token', async t => {
  const held = heldService()
  let tokens = 0
  const service = authorize({
    use: () => {},
    fetchToken: async () => ({ value: `token-${++tokens}`, livesMs: minute }),
  })(held.service)
  const run = testRun()
  const answers = [service(run.ask(questions.ask())), service(run.ask(questions.ask()))]
  await held.arrived(2)
  const [first, second] = [...held.held]
  first?.fail(refused())
  await held.arrived(3)
  t.equal(tokens, 2)
  second?.fail(refused())
  await held.arrived(4)
  t.equal(tokens, 2)
  while (held.held.length > 0) held.held[0]?.answer('well')
  t.match(await Promise.all(answers), [{ value: 'well' }, { value: 'well' }])
})

test('a refusal that a new token does not mend is the answer, and for ten seconds no token is asked for because of it', async t => {
  const { ask, asked, give, sent, clock } = arrange(() => {
    throw refused()
  })
  const first = failure(ask())
  await give('a')
  await turn()
  await give('b')
  t.match(await first, { code: 'UPSTREAM_STATUS', upstreamStatus: 401 })
  t.same(sent, ['a', 'b'], 'it was sent once more and no oftener')
  clock.ms = 9999
  t.match(await failure(ask()), { upstreamStatus: 401 })
  t.equal(asked.length, 2)
  clock.ms = 10_000
  const later = failure(ask())
  await turn()
  await turn()
  t.equal(asked.length, 3)
  await give('c')
  t.match(await later, { upstreamStatus: 401 })
})

test('a renewal after a refusal that fails is the failure of the call', async t => {
  const { ask, give, fail } = arrange(() => {
    throw refused()
  })
  const answer = failure(ask())
  await give('a')
  await turn()
  await fail()
  t.match(await answer, { code: 'UPSTREAM_AUTH' })
})

test('other failures are left alone, before a token is renewed and after', async t => {
  const errors = [new UpstreamError('UPSTREAM_STATUS', 'nobody', { upstreamStatus: 403 }), new Error('a bug')]
  for (const error of errors) {
    const { ask, asked, give } = arrange(() => {
      throw error
    })
    const answer = failure(ask())
    await give('a')
    t.equal(await answer, error)
    t.equal(asked.length, 1)
  }
  const { ask, give } = arrange(token => {
    throw token === 'a' ? refused() : new UpstreamError('UPSTREAM_BUSY', 'nobody')
  })
  const answer = failure(ask())
  await give('a')
  await turn()
  await give('b')
  t.match(await answer, { code: 'UPSTREAM_BUSY' })
})

test('a refused call whose caller has gone asks for no token', async t => {
  const own = new Abort()
  const { ask, asked, give } = arrange(() => {
    own.abort('gone')
    throw refused()
  })
  const answer = failure(ask(own))
  await give('a')
  t.match(await answer, { upstreamStatus: 401 })
  t.equal(asked.length, 1)
})

const { upload } = defineUpstream(
  'files',
  { origin: 'http://127.0.0.1:9' },
  {
    upload: operation({
      method: 'POST',
      path: '/',
      bodyType: 'bytes',
      body: z.custom<AsyncIterable<Uint8Array>>(),
      output: z.unknown(),
    }),
  },
)
const uploaded = () =>
  upload({
    body: (async function* () {
      yield Buffer.from('a')
    })(),
  })

test('a stream that is refused with 401 is not sent again, and the next call has a new token', async t => {
  const { ask, asked, give, send, sent } = arrange(token => {
    if (token === 'a') throw refused()
  })
  const both = Promise.all([failure(send(uploaded())), failure(send(uploaded()))])
  await give('a')
  t.match(await both, [{ upstreamStatus: 401 }, { upstreamStatus: 401 }])
  t.equal(asked.length, 2, 'one renewal for both')
  await give('b')
  t.equal(await ask(), 'b')
  t.same(sent, ['a', 'a', 'b'])
})

test('a stream that is refused after its token was replaced renews nothing', async t => {
  const held = [Promise.withResolvers<never>(), Promise.withResolvers<never>()]
  let fetched = 0
  let sent = 0
  const layer = authorize({ use() {}, fetchToken: async () => ({ value: `token ${++fetched}`, livesMs: minute }) })
  const service = layer((() => held[sent++]?.promise) as Service)
  const run = testRun()
  const both = [failure(service(run.ask(uploaded()))), failure(service(run.ask(uploaded())))]
  for (const index of [0, 1]) {
    await turn()
    held[index]?.reject(refused())
    t.match(await both[index], { upstreamStatus: 401 })
    await turn()
    t.equal(fetched, 2, 'the first refusal renews the token')
  }
})
