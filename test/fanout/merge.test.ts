import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { startRun, fanOut } from '../../src/fanout/fan-out.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { problemOf } from '../helpers/problem-of.ts'

const runtime = answeringRuntime(path => path)
const base = aggregate('merged', { url: '/merged' }).required('a', () => 'secret value')
const Named = z.object({ name: z.string() })

test("the reply is the schema's output of what the merge returns", async t => {
  const schema = z.object({
    name: z.string().trim(),
    at: z.string().transform(text => text.length),
    more: z.number().default(7),
  })
  for (const merge of [() => ({ name: ' x ', at: 'now' }), async () => ({ name: ' x ', at: 'now' })]) {
    t.strictSame((await fanOut(base.reply(schema, merge), {}, { runtime })).data, { name: 'x', at: 3, more: 7 })
  }
})

test('keys that the schema does not name are dropped', async t => {
  const described = base.reply(Named, ({ a }) => ({ name: 'x', extra: a }))
  t.strictSame((await fanOut(described, {}, { runtime })).data, { name: 'x' })
})

test('a merge that does not fit its schema is a bug whose details stay in the log', async t => {
  for (const merge of [
    ({ a }: { readonly a: string }) => ({ name: { secret: a } }),
    async () => ({ nmae: 'x' }),
    () => undefined,
  ]) {
    const problem = await problemOf(fanOut(base.reply(Named, merge as never), {}, { runtime }))
    t.match(problem, {
      code: 'REPLY_INVALID',
      statusCode: 500,
      detail: 'The service merged a reply that does not match its schema.',
      sources: { a: { state: 'ok' } },
    })
    t.type(problem.cause, z.ZodError)
    t.notMatch(JSON.stringify(problem), /secret|nmae|expected/)
    t.notOk('errors' in JSON.parse(JSON.stringify(problem)))
  }
})

test('a schema that throws is a bug', async t => {
  const throwing = z.unknown().transform((): string => {
    throw new Error('a secret of the schema')
  })
  // An async function is refused where it is declared; a promise of any other function is seen when it is there.
  const asynchronous = z.unknown().refine(() => Promise.resolve(true))
  for (const schema of [throwing, asynchronous]) {
    const problem = await problemOf(
      fanOut(
        base.reply(schema, () => 1),
        {},
        { runtime },
      ),
    )
    t.match(problem, { code: 'INTERNAL', statusCode: 500, cause: Error })
    t.notMatch(JSON.stringify(problem), 'secret of')
  }
})

test('a merge that throws is a bug, and nothing of it reaches the caller', async t => {
  for (const merge of [
    (): unknown => {
      throw new TypeError('the password is hunter2')
    },
    async () => {
      throw new TypeError('the password is hunter2')
    },
  ]) {
    const problem = await problemOf(fanOut(base.reply(z.unknown(), merge), {}, { runtime }))
    t.match(problem, { code: 'INTERNAL', statusCode: 500, cause: TypeError, sources: { a: { state: 'ok' } } })
    t.notMatch(JSON.stringify(problem), 'hunter2')
  }
})

test('an upstream error thrown by a merge is a bad gateway', async t => {
  const error = new UpstreamError('UPSTREAM_BUSY', 'oracle', { upstreamStatus: 503, retryAfterMs: 2500 })
  for (const merge of [
    (): unknown => {
      throw error
    },
    () => Promise.reject<unknown>(error),
  ]) {
    t.match(await problemOf(fanOut(base.reply(z.unknown(), merge), {}, { runtime })), {
      code: 'UPSTREAM_BUSY',
      statusCode: 503,
      retryAfterSeconds: 3,
      detail: 'oracle answered that it accepts no more calls for now.',
      cause: error,
    })
  }
})

test('a thenable that a merge answers with counts once', async t => {
  const described = base.reply(z.unknown(), () => ({
    // Not every thenable keeps the promise's promise to settle once.
    // oxlint-disable-next-line unicorn/no-thenable
    then(resolve: (value: unknown) => void, reject: (error: unknown) => void) {
      resolve('first')
      resolve('second')
      reject(new Error('third'))
    },
  }))
  t.equal((await fanOut(described, {}, { runtime })).data, 'first')
})

test('an error thrown by the handler of the reply is not a failure of the last step', async t => {
  const one = aggregate('one', { url: '/one' })
    .required('a', () => 1)
    .reply(z.number(), ({ a }) => a)
  const run = startRun(one, {}, { runtime })
  const bug = new Error('theirs')
  let losses = 0
  t.throws(
    () =>
      run.startFor({
        resolve() {
          throw bug
        },
        reject() {
          losses++
        },
      }),
    bug,
  )
  t.equal(losses, 0)
})
