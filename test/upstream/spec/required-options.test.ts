import { runInNewContext } from 'node:vm'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, env, operation, specOf } from '../../../src/upstream/declare.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'

const origin = 'https://cats.example'
const cats = (options: object, operations: unknown = {}) =>
  defineUpstream('cats', { origin, ...options }, operations as never)
const fact = (options: object) => cats({}, { fact: operation({ path: '/fact', output: z.object({}), ...options }) })
const route = (options: object) => aggregate('party', { url: '/party', ...options })
const bare = (fields: object): object => Object.assign(Object.create(null), fields)
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
    'responseType',
    value => fact({ responseType: value }),
    /^cats.fact: responseType is .*, and must be a text, for example 'json'$/,
    [undefined, 'json', 'text', 'bytes'],
  ],
  [
    'method of an operation',
    value => fact({ method: value }),
    /^cats.fact: method is .*, and must be a text, for example 'GET'$/,
    [undefined, 'GET'],
  ],
  [
    'accept',
    value => fact({ accept: value }),
    /^cats.fact: accept .* a list of texts, for example \['text\/csv'\]$/,
    [undefined, ['text/csv']],
  ],
  [
    'nullOn',
    value => fact({ nullOn: value }),
    /^cats.fact: nullOn (?:must be a list of statuses|takes statuses) from 400 to 499/,
    [undefined, [404]],
  ],
  [
    'idempotencyKey',
    value => fact({ method: 'POST', idempotencyKey: value }),
    /^cats.fact: idempotencyKey is .*, and must be a function, for example \(\{ body \}\) => body\.id$/,
    [undefined, () => 'k'],
  ],
  [
    'tls.servername',
    value => cats({ tls: { servername: value } }),
    /^upstream 'cats': tls.servername is .*, and must be a text, for example 'cats.example'$/,
    [undefined, 'cats.example'],
  ],
  ['retry', value => cats({ retry: value }), /^upstream 'cats': retry must be an object/, [undefined, false, {}]],
  ['hedge', value => cats({ hedge: value }), /^upstream 'cats': hedge must be an object/, [undefined, true, false, {}]],
  ['breaker', value => cats({ breaker: value }), /^upstream 'cats': breaker must be an object/, [undefined, false, {}]],
  ...(['cacheControl', 'summary', 'description'] as const).map(
    option =>
      [
        `${option} of an aggregate`,
        (value: never) => route({ [option]: value }),
        new RegExp(`^aggregate 'party': ${option} is .*, and must be a text, for example '`),
        [undefined, 'no-cache'],
      ] as const,
  ),
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

const flags: Readonly<Record<string, (value: never) => unknown>> = {
  "upstream 'cats': decompress": value => cats({ decompress: value }),
  "upstream 'cats': publicOnly": value => cats({ publicOnly: value }),
  'cats.fact: allowEmpty': value => fact({ allowEmpty: value }),
  'cats.fact: coalesce': value => fact({ coalesce: value }),
  "aggregate 'party': envelope": value => route({ envelope: value }),
  "upstream 'cats': off": value => createRuntime({ overrides: { cats: { off: value } } }).close(),
}

for (const [place, declare] of Object.entries(flags))
  test(`${place}: a value that is no boolean is refused, a text that says false too`, async t => {
    for (const [value, kind] of [
      ['false', 'a string'],
      ['', 'a string'],
      [null, 'null'],
      [0, 'a number'],
      [[true], 'a list'],
      [{}, 'an object'],
    ] as const)
      t.throws(() => declare(value as never), {
        name: 'TypeError',
        message: `${place} is ${kind}, and must be true or false`,
      })
    for (const value of [undefined, true, false]) await t.resolves(async () => declare(value as never))
  })

test('an object whose entries are not its own properties is refused, and the fix is named', async t => {
  class Own {
    readonly 'x-a' = '1'
  }
  for (const headers of [
    new Headers({ 'x-a': '1' }),
    new Map([['x-a', '1']]),
    new URLSearchParams({ 'x-a': '1' }),
    new Own(),
    Object.create({ 'x-a': '1' }),
  ])
    t.throws(() => cats({ headers }), {
      name: 'TypeError',
      message:
        "upstream 'cats': headers must be a plain object, for example { 'user-agent': 'cats/1.0' }: " +
        'write Object.fromEntries(…) for the entries of a Map or of Headers',
    })
  t.throws(() => defineUpstream('cats', { origin }, new Map() as never), {
    message: /^upstream 'cats': its operations must be a plain object/,
  })
  for (const headers of [
    { 'x-a': '1' },
    Object.assign({}, new Own()),
    runInNewContext("({ 'x-a': '1' })"),
    bare({ 'x-a': '1' }),
  ])
    t.same(specOf(cats({ headers })).headers, { 'x-a': '1' })
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
