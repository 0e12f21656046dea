import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, env, operation } from '../../../src/upstream/declare.ts'

const origin = 'https://cats.example'
const cats = (options: object, operations: unknown = {}) =>
  defineUpstream('cats', { origin, ...options }, operations as never)
const fact = (options: object) => cats({}, { fact: operation({ path: '/fact', output: z.object({}), ...options }) })
const route = (options: object) => aggregate('party', { url: '/party', ...options })
const base = route({}).required('one', () => 1)

/** What definitions without a type check may give in the place of each option. */
const wrong = [undefined, null, 7, true, [7], () => {}]

const places: readonly (readonly [
  place: string,
  declare: (value: never) => unknown,
  named: RegExp,
  right: readonly unknown[],
])[] = [
  [
    'the name of an upstream',
    name => defineUpstream(name, { origin }, {}),
    /^the upstream '.*' needs a name/,
    ['cats'],
  ],
  ['origin', value => cats({ origin: value }), /^upstream 'cats': origin .* a text, for example 'https:/, [origin]],
  [
    'operations',
    value => defineUpstream('cats', { origin }, value),
    /^upstream 'cats': its operations .* an object/,
    [{}],
  ],
  [
    'forwardHeaders',
    value => cats({ forwardHeaders: value }),
    /^upstream 'cats': forwardHeaders .* a list of texts/,
    [undefined, []],
  ],
  [
    'headers',
    value => cats({ headers: value }),
    /^upstream 'cats': headers is .*, and must be an object/,
    [undefined, {}],
  ],
  [
    'a header',
    value => cats({ headers: { 'x-a': value } }),
    /^upstream 'cats': the header 'x-a' cannot be sent: it has the type .* must be a string, for example 'cats\/1\.0'$/,
    [''],
  ],
  [
    'auth.header',
    value => cats({ auth: { header: value, secret: env('S') } }),
    /^upstream 'cats': auth.header .* a text/,
    ['x-a'],
  ],
  [
    'auth.query',
    value => cats({ auth: { query: value, secret: env('S') } }),
    /^upstream 'cats': auth.query .* a text/,
    ['key'],
  ],
  [
    'auth.secret',
    value => cats({ auth: { header: 'x-a', secret: value } }),
    /^upstream 'cats': auth.secret must come/,
    [env('S')],
  ],
  [
    'proxy',
    value => cats({ proxy: value }),
    /^upstream 'cats': proxy must be true, the URL/,
    [undefined, true, env('P')],
  ],
  [
    'layers.call',
    value => cats({ layers: { call: value } }),
    /^upstream 'cats': layers.call must be a list/,
    [undefined],
  ],
  ['operation()', value => operation(value), /^operation\(\): its options .* an object/, []],
  ['path', value => fact({ path: value }), /^cats.fact: path .* a text, for example '\/facts/, ['/']],
  [
    'output',
    value => fact({ output: value }),
    /^cats.fact: (?:output is missing|its output schema is not of zod 4)/,
    [z.object({})],
  ],
  [
    'query of an operation',
    value => fact({ query: value }),
    /^cats.fact: its query schema is not of zod 4/,
    [undefined],
  ],
  [
    'the name of an aggregate',
    name => aggregate(name, { url: '/party' }),
    /^the aggregate '.*' needs a name/,
    ['party'],
  ],
  ['url', value => route({ url: value }), /^aggregate 'party': url .* a text, for example '\/v1/, ['/']],
  [
    'method',
    value => route({ method: value }),
    /^aggregate 'party': the method must be one of GET, POST/,
    [undefined, 'PUT'],
  ],
  [
    'query of an aggregate',
    value => route({ query: value }),
    /^aggregate 'party': its query schema is not of zod 4/,
    [undefined],
  ],
  [
    'the name of a step',
    value => base.required(value, () => 1),
    /^aggregate 'party', step '.*': a step's name is letters/,
    ['two'],
  ],
  [
    'needs',
    value => base.required('two', () => 1, { needs: value }),
    /^aggregate 'party', step 'two': needs .* a list of texts, for example \['breed'\]$/,
    [undefined, ['one']],
  ],
  [
    'the schema of a reply',
    value => base.reply(value, (() => ({})) as never),
    /^aggregate 'party': (?:reply\(\) needs the zod schema|its reply schema is not of zod 4)/,
    [z.object({})],
  ],
  [
    'the merge of a reply',
    value => base.reply(z.object({}), value),
    /^aggregate 'party': reply\(\) needs a function/,
    [() => ({})],
  ],
]

for (const [place, declare, named, right] of places)
  test(`${place}: a value that is missing or of another type is refused with its owner, its name and the fix`, async t => {
    for (const value of wrong) {
      if (right.some(each => each === value || (typeof each === 'function' && typeof value === 'function'))) continue
      t.throws(() => declare(value as never), { name: 'TypeError', message: named }, String(value))
    }
    for (const value of right) t.doesNotThrow(() => declare(value as never), String(value))
  })

test('the message says what came instead, and not its value, which may be a secret', async t => {
  for (const [value, said] of [
    [undefined, 'is missing: it must be'],
    [null, 'is null, and must be'],
    [7, 'is a number, and must be'],
    [['hunter2'], 'is a list, and must be'],
    [{ password: 'hunter2' }, 'is an object, and must be'],
  ] as const)
    t.throws(() => cats({ origin: value }), {
      message: `upstream 'cats': origin ${said} a text, for example 'https://catfact.ninja'`,
    })
})
