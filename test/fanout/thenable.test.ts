import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { failure } from '../helpers/failure.ts'

type Then = (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void

/** What has a `then` of its own making. */
// oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
const odd = (then: Then) => ({ then }) as unknown as Promise<unknown>

const bug = new Error('then has failed')
const throws = odd(() => {
  throw bug
})
const twice = odd((resolve, reject) => {
  resolve('first')
  resolve('second')
  reject(bug)
})

const places = {
  'a step': (said: Promise<unknown>) =>
    waited()
      .required('one', (() => said) as unknown as () => number, { needs: ['zero'] })
      .reply(z.unknown(), ({ one }) => one),
  'the merge': (said: Promise<unknown>) => waited().reply(z.unknown(), () => said),
  'onReply()': (said: Promise<unknown>) =>
    waited()
      .reply(z.unknown(), () => 'first')
      .onReply(() => said as never),
}

/** The code after a step that has waited: an error that it throws has no caller that catches it. */
function waited() {
  return aggregate('a', { url: '/a' }).required('zero', () => Promise.resolve(0))
}

for (const [place, make] of Object.entries(places)) {
  test(`${place}: a promise of foreign make whose then throws fails the run and nothing else`, async t => {
    t.match(await failure(fanOut(make(throws), {}, { runtime: runtimeOf(t) })), { code: 'INTERNAL', cause: bug })
  })
}

for (const place of ['a step', 'the merge'] as const) {
  test(`${place}: a promise of foreign make that calls back several times has called once`, async t => {
    t.equal((await fanOut(places[place](twice), {}, { runtime: runtimeOf(t) })).data, 'first')
  })
}

test('a list that throws when it is read fails the run', async t => {
  const list = new Proxy<number[]>([], {
    get(_target, key) {
      if (key === 'then') return undefined
      throw bug
    },
  })
  const described = aggregate('a', { url: '/a' })
    .required('one', () => list)
    .reply(z.unknown(), ({ one }) => one)
  t.match(await failure(fanOut(described, {}, { runtime: runtimeOf(t) })), { code: 'INTERNAL', cause: bug })
})

function runtimeOf(t: Test) {
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  return runtime
}
