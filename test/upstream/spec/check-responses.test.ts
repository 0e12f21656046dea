import { test } from 'tap'
import { z } from 'zod'
import type { ListedStatuses } from '../../../src/upstream/spec/check-responses.ts'
import { defineUpstream, env, operation } from '../../../src/upstream/declare.ts'

const declare = (options: object, upstream: object = {}) =>
  defineUpstream('cats', { origin: 'https://cats.example', ...upstream }, {
    fact: operation({ path: '/fact', ...options } as never),
  } as never) as { readonly fact: () => { readonly spec: { readonly responses?: ListedStatuses } } }
const failures = (upstream: object = {}) => {
  const all = [200, 302, 400, 401, 404, 408, 409, 422, 425, 428, 429, 451, 500, 503, 599]
  const { spec } = declare({ responses: Object.fromEntries(all.map(each => [each, z.null()])) }, upstream).fact()
  return all.filter(status => spec.responses?.get(status)?.isFailure)
}

test('the statuses that stay failures are 408, 425, 429 and 5xx, and 401 if a token can be renewed', t => {
  t.same(failures(), [408, 425, 429, 500, 503, 599])
  t.same(failures({ auth: { bearer: env('TOKEN') } }), [408, 425, 429, 500, 503, 599])
  const oauth2 = { tokenUrl: 'https://cats.example/token', clientId: 'a', clientSecret: env('SECRET') }
  t.same(failures({ auth: { oauth2 } }), [401, 408, 425, 429, 500, 503, 599])
  t.end()
})

test('a status written as a text is listed by its number', t => {
  t.same(
    [
      ...(declare({ responses: { '200': z.null() } })
        .fact()
        .spec.responses?.keys() ?? []),
    ],
    [200],
  )
  t.end()
})

test('a wrong list of responses is refused with the fix', t => {
  const Schema = z.object({})
  for (const [options, message] of [
    [
      { responses: { 200: Schema }, output: Schema },
      'responses says what each status means: remove output, or remove responses',
    ],
    [
      { responses: { 200: Schema }, nullOn: [404] },
      'responses says what each status means: remove nullOn, or remove responses',
    ],
    [
      { responses: { 200: Schema }, allowEmpty: false },
      'responses says what each status means: remove allowEmpty, or remove responses',
    ],
    [
      { responses: {} },
      'responses is empty, so no response is accepted: write for example { 200: z.object({ … }), 404: z.null() }',
    ],
    [{ responses: [] }, 'responses must be an object such as { 200: z.object({ … }), 404: z.null() }, got a list'],
    [{ responses: null }, 'responses must be an object such as { 200: z.object({ … }), 404: z.null() }, got null'],
    ...['199', '600', '1', 'ok', '4xx', '2e2', '0200', '200.5', ''].map(
      key =>
        [
          { responses: { [key]: Schema } },
          `responses must contain only statuses from 200 to 599, got '${key}'`,
        ] as const,
    ),
    [{ responses: { 206: Schema } }, 'responses has 206, but calls ask for no range of a body: remove 206'],
    [{ responses: { 304: z.null() } }, 'responses has 304, but only the cache sends conditional requests: remove 304'],
    ...[undefined, null].map(
      schema =>
        [
          { responses: { 204: schema } },
          'responses has no schema for 204: write z.null() for a status without a body',
        ] as const,
    ),
    [
      { responses: { 200: {} } },
      "its responses[200] schema is not a zod 4 schema: install zod 4, or import { z } from 'zod/v4'",
    ],
    [{}, 'output is missing: give the zod schema of the response, for example z.object({ … })'],
  ] as const)
    t.throws(() => declare(options), { name: 'TypeError', message: `cats.fact: ${message}` }, message)
  t.end()
})
