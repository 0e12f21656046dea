import fc from 'fast-check'
import { test } from 'tap'
import { UpstreamError } from '../../../../src/errors.ts'
import { Abort } from '../../../../src/core/abort.ts'
import { bulkhead } from '../../../../src/upstream/policies/bulkhead/bulkhead.ts'
import { stack, type Service } from '../../../../src/upstream/call/layer.ts'
import { custom } from '../../../../src/upstream/policies/custom/custom.ts'
import type { CustomLayer } from '../../../../src/upstream/spec/layer-types.ts'
import type { LayerPosition } from '../../../../src/upstream/spec/layers.ts'
import { testRun } from '../../../helpers/call.ts'
import { failure } from '../../../helpers/failure.ts'
import { heldService } from '../../../helpers/held-service.ts'
import { promisesOf } from '../../../helpers/promises.ts'
import { questions } from '../../../helpers/questions.ts'
import { turn } from '../../../helpers/turn.ts'

const upstream = { name: 'nobody', origin: 'http://127.0.0.1:9', prefix: '' }
const ats: readonly LayerPosition[] = ['call', 'attempt']
const answering: Service = async <T>() => ({ value: 'well' as T, status: 200 })

/** A layer over a service, as an upstream has it. */
function over(service: Service, at: LayerPosition, layer: CustomLayer): Service {
  return custom(layer, at, upstream)(service)
}

const ask = (run = testRun(), abort = run.abort) => run.ask(questions.ask(), { abort })

test('a layer is opened once an upstream and then called once a call', async t => {
  const opened: unknown[] = []
  let calls = 0
  const service = over(answering, 'call', (next, place) => {
    opened.push(place)
    return call => {
      calls++
      return next(call)
    }
  })
  for (let time = 0; time < 3; time++) t.same(await service(ask()), { value: 'well', status: 200 })
  t.same(opened, [upstream])
  t.equal(calls, 3)
})

test('a layer that returns what next returned adds no promise, and one that waits adds some', async t => {
  const through: CustomLayer = next => call => next(call)
  const withHeaders: CustomLayer = next => call => next(call.with({ headers: { 'x-tenant': 'a' } }))
  const waiting: CustomLayer = next => async call => next(call)
  const counted = (...layers: readonly CustomLayer[]) =>
    promisesOf(() => {
      const service = stack(
        ats.flatMap(at => layers.map(layer => custom(layer, at, upstream))),
        answering,
      )
      return service(ask())
    })
  await counted(through)
  const without = await counted()
  t.equal(await counted(through), without)
  t.equal(await counted(through, withHeaders, through), without)
  t.ok((await counted(waiting)) > without)
})

test('a layer may answer by itself, at once or later', async t => {
  for (const at of ats) {
    const bottom = heldService()
    t.same(await over(bottom.service, at, () => () => ({ value: null as never, status: 204 }))(ask()), {
      value: null,
      status: 204,
    })
    t.same(await over(bottom.service, at, () => async () => ({ value: 'kept' as never, status: 200 }))(ask()), {
      value: 'kept',
      status: 200,
    })
    t.equal(bottom.taken, 0)
  }
})

test('a layer may make something of the answer', async t => {
  const service = over(answering, 'call', next => async call => ({ ...(await next(call)), status: 203 }))
  t.same(await service(ask()), { value: 'well', status: 203 })
})

test('an error that a layer throws, synchronously or later, rejects the call with the same error', async t => {
  for (const at of ats) {
    for (const error of [new Error('a bug'), new UpstreamError('UPSTREAM_UNREACHABLE', 'signer')]) {
      const run = testRun()
      t.equal(
        await failure(
          over(answering, at, () => () => {
            throw error
          })(ask(run)),
        ),
        error,
      )
      t.equal(
        await failure(
          over(answering, at, () => async () => {
            throw error
          })(ask(run)),
        ),
        error,
      )
      t.equal(run.abort.size, 0)
    }
  }
})

test('a layer that cannot be opened fails each call with the reason', async t => {
  const broken = over(answering, 'call', () => {
    throw new Error('no key file')
  })
  for (let time = 0; time < 2; time++) t.match(await failure(broken(ask())), { message: 'no key file' })
  const none = over(answering, 'call', (() => undefined) as unknown as CustomLayer)
  t.match(await failure(none(ask())), {
    name: 'TypeError',
    message: "upstream 'nobody': a custom layer must return a function of a call: next => call => next(call)",
  })
})

test('an invalid answer of a layer is an error that names the expected result', async t => {
  for (const [answer, what] of [
    [undefined, 'no value'],
    [null, 'no value'],
    [Promise.resolve(undefined), 'no value'],
    [{ value: 1 }, 'no status'],
    [{ status: 200 }, 'no value'],
  ] as const) {
    const service = over(answering, 'call', () => () => answer as never)
    t.match(await failure(service(ask())), {
      name: 'TypeError',
      message: `upstream 'nobody': a custom layer returned ${what}: return next(call), or { value, status }`,
    })
  }
})

test('next takes the call of its layer and nothing else', async t => {
  const service = over(answering, 'call', next => call => next({ operation: call.operation } as never))
  t.match(await failure(service(ask())), {
    name: 'TypeError',
    message: 'next must be called with the call of the layer, or with the result of call.with(…)',
  })
})

test('a layer sees what is asked, by whom and for how long', async t => {
  const run = testRun({ deadline: 1000, now: () => 400, headers: { authorization: 'secret', 'x-tenant': 'a' } })
  Object.assign(run, { context: { user: 'ada' } })
  const call = run.ask(questions.tell({ body: { text: 'x' } }))
  await over(answering, 'call', next => seen => {
    const { operation, method, path, body, headers, inbound, context, attempt, remaining, signal, idempotencyKey } =
      seen
    t.same(
      { operation, method, path, body, headers, inbound, context, attempt, remaining, idempotencyKey },
      {
        operation: 'nobody.tell',
        method: 'POST',
        path: '/tell',
        body: '{"text":"x"}',
        headers: {},
        inbound: { authorization: 'secret', 'x-tenant': 'a' },
        context: { user: 'ada' },
        attempt: 0,
        remaining: 600,
        idempotencyKey: undefined,
      },
    )
    t.equal(signal, run.abort.signal)
    return next(seen)
  })(call)
  await over(answering, 'attempt', next => seen => {
    t.same(seen.inbound, {}, 'nothing is forwarded')
    t.throws(() => seen.context, {
      message: 'nobody.tell: an attempt has no context, because callers may share it: list the layer in layers.call',
    })
    return next(seen)
  })(call)
})

test('headers that layers give add up, the inner ones last, and what may not be set is refused', async t => {
  const bottom: Service = async call => {
    t.same(call.headers, { 'x-tenant': 'a', 'x-signed': 'inner' })
    return { value: undefined as never, status: 200 }
  }
  const service = stack(
    [
      custom(
        next => call => next(call.with({ headers: { 'X-Tenant': 'a' } }).with({ headers: { 'x-signed': 'outer' } })),
        'call',
        upstream,
      ),
      custom(
        next => call => {
          t.same(call.headers, { 'x-tenant': 'a', 'x-signed': 'outer' })
          return next(call.with({ headers: { 'X-Signed': 'inner' } }))
        },
        'attempt',
        upstream,
      ),
    ],
    bottom,
  )
  await service(ask())
  for (const [headers, message] of [
    [
      { host: 'other.test' },
      "nobody.ask: the header 'host' belongs to one connection or to the message framing: remove it",
    ],
    [{ 'x y': '1' }, "nobody.ask: 'x y' is not the name of a header"],
    [{ 'x-a': 'a\r\nb: c' }, "nobody.ask: the header 'x-a' contains characters that are not allowed in a header"],
  ] as const) {
    const error = await failure(over(bottom, 'call', next => call => next(call.with({ headers })))(ask()))
    t.match(error, { name: 'TypeError', message })
  }
})

test('a header that cannot be sent is refused with its layer, its name and the fix', async t => {
  const { service: bottom, held } = heldService()
  for (const [value, fault] of [
    [
      'Zo\u00eb \u{1f408}',
      'contains characters that are not allowed in a header: U+1F408 is a control character or beyond Latin-1',
    ],
    ['\u20ac', 'contains characters that are not allowed in a header: U+20AC is a control character or beyond Latin-1'],
    ['a\nb', 'contains characters that are not allowed in a header: U+000A is a control character or beyond Latin-1'],
    ['\x7f', 'contains characters that are not allowed in a header: U+007F is a control character or beyond Latin-1'],
    [new Date(0), 'cannot be sent: it must be a string, got a Date: write toUTCString() or toISOString()'],
    [undefined, "cannot be sent: it must be a string such as 'cats/1.0', got undefined"],
    [null, "cannot be sent: it must be a string such as 'cats/1.0', got null"],
    [5, "cannot be sent: it must be a string such as 'cats/1.0', got a number"],
    [true, "cannot be sent: it must be a string such as 'cats/1.0', got a boolean"],
    [['a', 'b'], "cannot be sent: it must be a string such as 'cats/1.0', got a list"],
  ] as const) {
    const headers = { 'X-Name': value as string }
    const sign: CustomLayer = next => call => next(call.with({ headers }))
    for (const at of ats) {
      t.match(await failure(over(bottom, at, sign)(ask())), {
        name: 'TypeError',
        message: `the layer 'sign' of layers.${at}: nobody.ask: the header 'X-Name' ${fault}`,
      })
      t.match(await failure(over(bottom, at, next => call => next(call.with({ headers })))(ask())), {
        name: 'TypeError',
        message: `a layer of layers.${at}: nobody.ask: the header 'X-Name' ${fault}`,
      })
    }
  }
  t.same(held, [])
  const latin1: CustomLayer = next => call => next(call.with({ headers: { 'x-name': 'Zo\u00eb\t\xff' } }))
  t.match(await over(answering, 'call', latin1)(ask()), { value: 'well' })
})

test('headers of call.with() that are not a plain object are refused with their layer', async t => {
  for (const [change, said] of [
    [undefined, "is missing: it must be an object such as { 'x-a': '1' }"],
    [null, "is missing: it must be an object such as { 'x-a': '1' }"],
    [{}, "is missing: it must be an object such as { 'x-a': '1' }"],
    [{ headers: undefined }, "is missing: it must be an object such as { 'x-a': '1' }"],
    [{ headers: null }, "must be an object such as { 'x-a': '1' }, got null"],
    [{ headers: [['x-a', '1']] }, "must be an object such as { 'x-a': '1' }, got a list"],
    [{ headers: new Headers({ 'x-a': '1' }) }, "must be a plain object such as { 'x-a': '1' }"],
    [{ headers: new Map([['x-a', '1']]) }, "must be a plain object such as { 'x-a': '1' }"],
  ] as const) {
    const sign: CustomLayer = next => call => next(call.with(change as never))
    for (const at of ats)
      t.match(await failure(over(answering, at, sign)(ask())), {
        name: 'TypeError',
        message: `the layer 'sign' of layers.${at}: nobody.ask: headers of call.with() ${said}`,
      })
  }
})

test('a layer that waits for something deaf does not hold a call that is given up', async t => {
  for (const at of ats) {
    const run = testRun()
    const { layer, gauge } = bulkhead({ upstream: 'nobody', concurrency: 1, maxQueue: 1 })
    const service = stack([layer, custom(() => () => new Promise(() => {}), at, upstream)], answering)
    const asked = failure(service(ask(run)))
    t.equal(gauge.active, 1)
    const reason = new Error('given up')
    run.abort.abort(reason)
    t.equal(await asked, reason)
    t.same({ active: gauge.active, listeners: run.abort.size }, { active: 0, listeners: 0 })
  }
})

test('a layer that goes on after what it sent was cut is not waited for', async t => {
  const bottom = heldService()
  const run = testRun()
  const asked = failure(
    over(bottom.service, 'call', next => call => next(call).catch(() => new Promise<never>(() => {})))(ask(run)),
  )
  await bottom.arrived(1)
  const reason = new Error('given up')
  run.abort.abort(reason)
  t.equal(await asked, reason)
  t.equal(run.abort.size, 0)
})

test('a layer is waited for while what it sent goes on although it was given up, as an unsafe call does', async t => {
  const run = testRun()
  let end: (status: number) => void = () => {}
  const deaf: Service = <T>() =>
    new Promise<{ value: T; status: number }>(resolve => {
      end = status => resolve({ value: 'done' as T, status })
    })
  let settled = false
  const asked = over(
    deaf,
    'attempt',
    next => async call => next(call),
  )(ask(run)).finally(() => {
    settled = true
  })
  run.abort.abort(new Error('given up'))
  await turn()
  t.equal(settled, false)
  end(201)
  t.same(await asked, { value: 'done', status: 201 })
  t.equal(run.abort.size, 0)
})

test('a call that was given up before costs nothing', async t => {
  const run = testRun()
  const reason = { gone: true }
  run.abort.abort(reason)
  t.equal(await failure(over(answering, 'call', () => () => t.fail('it was called') as never)(ask(run))), reason)
})

test('at a call each next takes a permit of its own', async t => {
  const bottom = heldService()
  const { layer, gauge } = bulkhead({ upstream: 'nobody', concurrency: 4, maxQueue: 4 })
  const service = stack(
    [custom(next => call => Promise.any([next(call), next(call), next(call)]), 'call', upstream), layer],
    bottom.service,
  )
  const asked = service(ask())
  await bottom.arrived(3)
  t.equal(gauge.active, 3)
  bottom.held[1]?.answer('second')
  t.same(await asked, { value: 'second', status: 200 })
  for (const held of bottom.held.slice()) held.answer('late')
  await turn()
  t.equal(gauge.active, 0)
})

test('an attempt has one permit, so what it sends goes one after the other', async t => {
  const patterns: readonly CustomLayer[] = [
    next => call => Promise.any([next(call), next(call), next(call)]),
    next => call => {
      void next(call)
      void next(call)
      return next(call)
    },
    next => async call => {
      try {
        return await next(call)
      } catch {
        return next(call).catch(() => next(call))
      }
    },
  ]
  for (const [at, pattern] of patterns.entries()) {
    const bottom = heldService()
    const asked = over(bottom.service, 'attempt', pattern)(ask())
    for (let time = 1; time < 3; time++) {
      await bottom.arrived(time)
      t.equal(bottom.held.length, 1)
      bottom.held[0]?.fail(new UpstreamError('UPSTREAM_RESET', 'nobody'))
    }
    await bottom.arrived(3)
    bottom.held[0]?.answer('third')
    t.match(await asked, { value: 'third' }, `pattern ${at}`)
  }
})

test('an attempt that is answered while what it sent is on the wire keeps its permit until that has ended', async t => {
  const layers: readonly CustomLayer[] = [
    next => async call => {
      void next(call)
      return { value: 'at once' as never, status: 200 }
    },
    next => call => {
      void next(call)
      return { value: 'at once' as never, status: 200 }
    },
    next => call => {
      void next(call)
      throw new UpstreamError('UPSTREAM_RESET', 'nobody')
    },
  ]
  for (const made of layers) {
    const bottom = heldService()
    const { layer, gauge } = bulkhead({ upstream: 'nobody', concurrency: 1, maxQueue: 1 })
    await stack([layer, custom(made, 'attempt', upstream)], bottom.service)(ask()).catch(() => {})
    await turn()
    t.equal(gauge.active, 1)
    bottom.held[0]?.fail(new Error('ended'))
    await turn()
    t.equal(gauge.active, 0)
  }
})

test('an attempt that was answered sends nothing more, and a call may', async t => {
  for (const made of [next => call => next(call), next => async call => next(call)] satisfies CustomLayer[]) {
    let later: () => Promise<unknown> = () => Promise.reject(new Error('it was not called'))
    const keeping: CustomLayer = next => {
      const through = made(next)
      return call => {
        later = () => next(call)
        return through(call)
      }
    }
    await over(answering, 'attempt', keeping)(ask())
    t.match(await failure(later()), {
      name: 'TypeError',
      message:
        "upstream 'nobody': a custom layer called next after it had returned its result: list the layer in layers.call",
    })
    await over(answering, 'call', keeping)(ask())
    t.same(await later(), { value: 'well', status: 200 })
  }
})

test('a call that is sent again by a layer is stopped with the run', async t => {
  const bottom = heldService()
  const run = testRun()
  const own = new Abort()
  const asked = failure(
    over(
      bottom.service,
      'call',
      next => call => Promise.all([next(call), next(call)]).then(([answer]) => answer),
    )(ask(run, own)),
  )
  await bottom.arrived(2)
  t.not(bottom.held[0]?.call.attempt, bottom.held[1]?.call.attempt, 'each is an attempt of its own')
  const reason = new Error('given up')
  own.abort(reason)
  t.equal(await asked, reason)
  t.same([bottom.held.length, own.size], [0, 0])
})

test('whatever mix of sync and async layers a call goes through, it is answered alike', async t => {
  const kinds: Readonly<Record<string, CustomLayer>> = {
    through: next => call => next(call),
    waiting: next => async call => next(call),
    late: next => async call => {
      await turn()
      return next(call)
    },
    marking: next => call => next(call.with({ headers: { 'x-mark': `${call.headers['x-mark'] ?? ''}+` } })),
    looking: next => async call => {
      const answer = await next(call)
      await Promise.resolve()
      return answer
    },
    again: next => call => next(call).catch(() => next(call)),
  }
  const layer = fc.record({ kind: fc.constantFrom(...Object.keys(kinds)), at: fc.constantFrom(...ats) })
  await fc.assert(
    fc.asyncProperty(fc.array(layer, { maxLength: 6 }), fc.boolean(), async (chosen, fails) => {
      const marks = chosen.filter(({ kind }) => kind === 'marking').length
      const error = new UpstreamError('UPSTREAM_RESET', 'nobody')
      const run = testRun()
      const bottom: Service = async call => {
        if (fails) throw error
        return { value: (call.headers?.['x-mark'] ?? '').length as never, status: 200 }
      }
      const service = stack(
        chosen.map(({ kind, at }) => custom(kinds[kind] as CustomLayer, at, upstream)),
        bottom,
      )
      const got = await service(ask(run)).catch((reason: unknown) => reason)
      return (
        run.abort.size === 0 &&
        (fails ? got === error : JSON.stringify(got) === JSON.stringify({ value: marks, status: 200 }))
      )
    }),
    { numRuns: 150 },
  )
  t.pass('held for 150 mixes')
})
