import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'

/** What the types refuse already is tried untyped: an author may write JavaScript. */
const declare = aggregate as unknown as (
  name: string,
  options: object,
) => {
  required(name: string, step: unknown, options?: object): unknown
  optional(name: string, step: unknown, options?: object): unknown
  each(name: string, step: unknown, options?: object): unknown
  firstOf(name: string, step: unknown, options?: object): unknown
  pages(name: string, step: unknown, options?: object): unknown
}
const made = () => declare('a', { url: '/a' })
const step = () => 1

test('an invalid name is refused with an example of a valid one', t => {
  for (const name of ['', 'Cats', 'cat_facts', '1cats', '-cats', 'cats-', 'cat--facts', 'cat facts', 'cats/']) {
    t.throws(() => declare(name, { url: '/a' }), {
      name: 'TypeError',
      message: `the aggregate '${name}' needs a name in lower case with hyphens, for example 'cat-facts'`,
    })
  }
  for (const name of ['a', 'cats', 'cat-facts', 'v2-cats-4u']) t.doesNotThrow(() => declare(name, { url: '/a' }))
  t.end()
})

test('a deadline is a whole number of ms from 1', t => {
  for (const deadline of [0, -1, 1.5, Infinity, Number.NaN, 2 ** 31, '800']) {
    t.throws(() => declare('a', { url: '/a', deadline }), {
      name: 'TypeError',
      message: `aggregate 'a': deadline must be a whole number of ms from 1 to 2147483647, got ${deadline}`,
    })
  }
  for (const deadline of [1, 2 ** 31 - 1]) t.doesNotThrow(() => declare('a', { url: '/a', deadline }))
  t.end()
})

test('a url is a path template', t => {
  t.throws(() => declare('a', { url: 'v1/cats' }), {
    name: 'TypeError',
    message: "aggregate 'a': the path 'v1/cats' must start with a slash",
  })
  t.throws(() => declare('a', { url: '/v1/{a b}', params: z.object({}) }), {
    message: "aggregate 'a': '{a b}' in the path '/v1/{a b}' is not a name",
  })
  t.throws(() => declare('a', { url: '/v1?x=1' }), { message: /declare a query as 'query'/ })
  t.end()
})

test('a url has no parameter of several segments', t => {
  for (const url of ['/v1/files/{path+}', '/v1/{path+}/x', '/v1/x{path+}'])
    t.throws(() => declare('a', { url, params: z.object({ path: z.string() }) }), {
      name: 'TypeError',
      message:
        `aggregate 'a': the url '${url}' has a name with '+', which only the path of an operation can have: ` +
        "remove the '+', or take the path as a field of the query",
    })
  t.end()
})

test('two parameters of a url have text between them', t => {
  for (const [url, pair] of [
    ['/x/{a}{b}', '{a}{b}'],
    ['/x/{a},{b}{c}', '{b}{c}'],
    ['/{a}{b}{c}/x', '{a}{b}'],
  ] as const)
    t.throws(() => declare('a', { url, params: z.object({}) }), {
      name: 'TypeError',
      message:
        `aggregate 'a': the url '${url}' has no text between the parameters of '${pair}', so the end of ` +
        `the first value is ambiguous: write text between them, for example '${pair.replace('}{', '},{')}'`,
    })
  for (const url of ['/x/{a},{b}', '/{a}/{b}', '/{a}x{b}', '/{a}%20{b}'])
    t.doesNotThrow(() => declare('a', { url, params: z.object({}) }))
  t.end()
})

test('the criticality is high, normal or low', t => {
  for (const criticality of ['urgent', '', 1, null, 'toString'])
    t.throws(() => declare('a', { url: '/a', criticality }), {
      name: 'TypeError',
      message: `aggregate 'a': criticality must be one of high, normal, low, got ${String(criticality)}`,
    })
  for (const criticality of ['high', 'normal', 'low', undefined])
    t.doesNotThrow(() => declare('a', { url: '/a', criticality }))
  t.end()
})

test('a GET has no body, and the message says what to do', t => {
  t.throws(() => declare('a', { url: '/a', method: 'GET', body: z.unknown() }), {
    name: 'TypeError',
    message: "aggregate 'a': a GET has no body: declare its input as query, or its method as POST",
  })
  t.end()
})

test('a cache-control is a header value', t => {
  for (const cacheControl of ['', 'public\nmax-age=60', 'é']) {
    t.throws(() => declare('a', { url: '/a', cacheControl }), {
      name: 'TypeError',
      message: /^aggregate 'a': cacheControl must be a header value such as 'public, max-age=60', got '.*'$/s,
    })
  }
  t.doesNotThrow(() => declare('a', { url: '/a', cacheControl: 'public, max-age=60' }))
  t.end()
})

test('an aggregate whose headers schema names a credential cannot have a cacheControl that allows shared caches', t => {
  const text = z.string().optional()
  const schemas = (name: string): readonly z.ZodType[] => [
    z.object({ [name]: text }),
    z.object({ [name]: text }).readonly(),
    z.union([z.object({ [name]: text }), z.object({})]),
    z.preprocess(given => given, z.looseObject({ [name]: text })),
  ]
  for (const name of ['authorization', 'Authorization', 'COOKIE', 'proxy-authorization']) {
    for (const headers of schemas(name)) {
      for (const cacheControl of ['public, max-age=60', 'max-age=60', 'private="x-user"']) {
        t.throws(() => declare('a', { url: '/a', cacheControl, headers }), {
          name: 'TypeError',
          message:
            `aggregate 'a': its headers schema names '${name}', which is a credential, and its cacheControl '${cacheControl}' lets a ` +
            `shared cache give the reply to other callers: write private, for example 'private, max-age=60'`,
        })
      }
      for (const cacheControl of ['private, max-age=60', 'no-store', 'no-cache', undefined])
        t.doesNotThrow(() => declare('a', { url: '/a', cacheControl, headers }))
    }
  }
  t.doesNotThrow(
    () => declare('a', { url: '/a', cacheControl: 'public', headers: z.object({ 'x-api-key': text }) }),
    'vary names it',
  )
  t.end()
})

test('the name of a step is a name that no other has', t => {
  for (const name of ['', '1a', '_a', 'a-b', 'a b', '__proto__', 'ä']) {
    t.throws(() => made().required(name, step), {
      name: 'TypeError',
      message: `aggregate 'a', step '${name}': a step name must begin with a letter and contain only letters, digits and underscores`,
    })
  }
  for (const name of ['params', 'query', 'body', 'headers', 'context', 'signal']) {
    t.throws(() => made().optional(name, step, { fallback: null }), {
      name: 'TypeError',
      message: `aggregate 'a', step '${name}': '${name}' is part of the input: choose another step name`,
    })
  }
  const twice = made().required('one', step) as ReturnType<typeof made>
  t.throws(() => twice.each('one', step), {
    name: 'TypeError',
    message: "aggregate 'a', step 'one': a step with this name is already declared: choose another name",
  })
  const user = made().required('userId', step) as ReturnType<typeof made>
  for (const name of ['userid', 'USERID', 'UserId']) {
    for (const envelope of [true, false]) {
      t.throws(
        () =>
          (declare('a', { url: '/a', envelope }).required('userId', step) as typeof user).optional(name, step, {
            fallback: null,
          }),
        {
          name: 'TypeError',
          message:
            `aggregate 'a', step '${name}': its name differs from that of step 'userId' by case only, ` +
            'and headwaters-sources has names in lower case: rename one',
        },
      )
    }
  }
  for (const name of ['user_id', 'userIds']) t.doesNotThrow(() => user.required(name, step))
  for (const name of ['a', 'A1', 'camelCase', 'snake_case', 'constructor', 'toString', 'then', 'data'])
    t.doesNotThrow(() => made().required(name, step))
  t.end()
})

test('a step needs a function', t => {
  for (const wrong of [undefined, null, 'x', {}]) {
    t.throws(() => made().firstOf('one', wrong), {
      name: 'TypeError',
      message: "aggregate 'a', step 'one': needs a function that returns a call",
    })
  }
  t.end()
})

test('a step needs only what stands before it', t => {
  const one = made().required('one', step) as ReturnType<typeof made>
  t.throws(() => one.required('two', step, { needs: ['three'] }), {
    name: 'TypeError',
    message: "aggregate 'a', step 'two': needs 'three', and no earlier step has that name",
  })
  t.throws(
    () => one.required('two', step, { needs: ['two'] }),
    { message: /needs 'two', and no earlier step/ },
    'not itself',
  )
  t.doesNotThrow(() => one.required('two', step, { needs: ['one'] }))
  t.end()
})

test('the numbers of a step are whole and large enough', t => {
  const range = (min: number) => `must be a whole number from ${min} to 2147483647`
  for (const [options, message] of [
    [{ concurrency: 0 }, `concurrency ${range(1)}, got 0`],
    [{ concurrency: 2.5 }, `concurrency ${range(1)}, got 2.5`],
    [{ maxItems: 0 }, `maxItems ${range(1)}, got 0`],
    [{ maxItems: Infinity }, `maxItems ${range(1)}, got Infinity`],
    [{ minSuccess: -1, fallback: null }, `minSuccess ${range(0)}, got -1`],
    [{ timeout: 0 }, 'timeout must be a whole number of ms from 1 to 2147483647, got 0'],
  ] as const)
    t.throws(() => made().each('one', step, options), {
      name: 'TypeError',
      message: `aggregate 'a', step 'one': ${message}`,
    })
  t.throws(() => made().firstOf('one', step, { count: 0 }), {
    message: `aggregate 'a', step 'one': count ${range(1)}, got 0`,
  })
  t.doesNotThrow(() =>
    made().each('one', step, { concurrency: 1, maxItems: 1, timeout: 1, minSuccess: 0, fallback: null }),
  )
  t.end()
})

test("overflow of an each is 'error' or 'truncate'", t => {
  for (const [overflow, shown] of [
    ['drop', 'drop'],
    [true, 'true'],
    [null, 'null'],
    [Symbol('truncate'), 'Symbol(truncate)'],
  ] as const)
    t.throws(() => made().each('one', step, { maxItems: 2, overflow }), {
      name: 'TypeError',
      message: `aggregate 'a', step 'one': overflow must be 'error' or 'truncate', got '${shown}'`,
    })
  for (const overflow of ['error', 'truncate', undefined]) t.doesNotThrow(() => made().each('one', step, { overflow }))
  for (const kind of ['required', 'firstOf'] as const)
    t.throws(() => made()[kind]('one', step, { overflow: 'truncate' }), { message: /unknown option 'overflow'/ })
  t.throws(() => made().optional('one', step, { fallback: null, overflow: 'truncate' }), {
    message: /unknown option 'overflow'/,
  })
  t.end()
})

test('an option that does not exist is refused, with those that do', t => {
  t.throws(() => declare('a', { url: '/a', timeout: 5 }), {
    name: 'TypeError',
    message: /aggregate 'a': unknown option 'timeout': use url, method, /,
  })
  t.throws(() => made().required('x', step, { concurrency: 2 }), {
    message: "aggregate 'a', step 'x': unknown option 'concurrency': use needs, timeout",
  })
  t.throws(() => made().each('x', step, { count: 2 }), {
    message: /unknown option 'count': use needs, timeout, concurrency, maxItems, overflow, minSuccess, fallback/,
  })
  t.throws(() => made().each('x', step, { minsuccess: 1 }), {
    message: /unknown option 'minsuccess': use needs, timeout, concurrency, maxItems, overflow, minSuccess, fallback/,
  })
  t.throws(() => made().firstOf('x', step, { concurrency: 2 }), {
    message: /unknown option 'concurrency': use needs, timeout, count/,
  })
  t.end()
})

test('the options of pages are checked, and next is required', t => {
  const owner = "aggregate 'a', step 'one'"
  const range = 'must be a whole number from 1 to 2147483647'
  const next = () => null
  for (const options of [undefined, {}, { next: undefined }, { next: 'page' }])
    t.throws(() => made().pages('one', step, options), {
      name: 'TypeError',
      message:
        `${owner}: pages needs the function next, which returns the call of the next page, for example ` +
        '{ next: byCursor(page => page.after, after => shop.orders({ after })) }',
    })
  for (const [options, message] of [
    [{ maxPages: 0 }, `maxPages ${range}, got 0`],
    [{ maxPages: Infinity }, `maxPages ${range}, got Infinity`],
    [{ concurrency: 0 }, `concurrency ${range}, got 0`],
    [{ overflow: 'drop' }, "overflow must be 'error' or 'truncate', got 'drop'"],
    [{ onLoss: 'skip' }, "onLoss must be 'fail' or 'keep', got 'skip'"],
    [{ onLoss: Symbol('keep') }, "onLoss must be 'fail' or 'keep', got 'Symbol(keep)'"],
    [{ maxItems: 5 }, "unknown option 'maxItems': use needs, timeout, concurrency, overflow, next, maxPages, onLoss"],
  ] as const)
    t.throws(() => made().pages('one', step, { next, ...options }), {
      name: 'TypeError',
      message: `${owner}: ${message}`,
    })
  t.throws(() => made().each('one', step, { maxPages: 5 }), { message: /unknown option 'maxPages'/ })
  for (const onLoss of ['fail', 'keep'])
    t.doesNotThrow(() =>
      made().pages('one', step, { next, onLoss, maxPages: 1, concurrency: 1, overflow: 'truncate', timeout: 1 }),
    )
  t.end()
})
