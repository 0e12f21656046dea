import { test } from 'tap'
import { defineUpstream, env } from '../../../src/upstream/declare.ts'

const literal = 'sk-LITERAL-SECRET'

/** Declares an upstream with these options of `oauth2`, which the types may refuse. */
const define = (options: object) => () => {
  const oauth2 = { tokenUrl: 'https://auth.example/token', clientId: 'us', clientSecret: env('CATS_KEY'), ...options }
  return defineUpstream('cats', { origin: 'https://cats.example', auth: { oauth2 } }, {})
}

/** Returns the message of the `TypeError` with which a declaration is refused. */
function messageOf(options: object): string {
  try {
    define(options)()
    return 'accepted'
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
}

test('a further parameter that an option sets is refused with the name of the option', t => {
  for (const [name, option] of [
    ['scope', 'scope'],
    ['audience', 'audience'],
    ['client_id', 'clientId'],
    ['client_secret', 'clientSecret'],
  ] as const)
    for (const value of [literal, env('VALUE'), undefined])
      t.equal(
        messageOf({ parameters: { resource: 'cats', [name]: value } }),
        `TypeError: upstream 'cats': auth.oauth2.parameters sets '${name}': use the option ${option}`,
      )
  t.equal(
    messageOf({ parameters: { grant_type: 'password' } }),
    "TypeError: upstream 'cats': auth.oauth2.parameters sets 'grant_type', which is always client_credentials: remove it",
  )
  t.end()
})

test('further parameters that are not a plain object are refused', t => {
  for (const parameters of [null, literal, 7, ['resource', literal], new Map([['resource', literal]])])
    t.match(
      messageOf({ parameters }),
      /^TypeError: upstream 'cats': auth\.oauth2\.parameters must be an? (?:plain )?object such as \{ resource: /,
    )
  t.notMatch(messageOf({ parameters: literal }), literal)
  t.end()
})

test('a value that is neither a string nor a variable is refused, and the message does not show it', t => {
  for (const value of [undefined, null, 7, true, '', [literal], { variable: literal }]) {
    t.equal(
      messageOf({ parameters: { resource: value } }),
      "TypeError: upstream 'cats': auth.oauth2.parameters.resource must be a string that is not empty, or env('NAME')",
    )
    if (value !== undefined)
      t.equal(
        messageOf({ audience: value }),
        "TypeError: upstream 'cats': auth.oauth2.audience must be a string that is not empty, or env('NAME')",
      )
  }
  t.equal(
    messageOf({ parameters: { '': literal } }),
    "TypeError: upstream 'cats': auth.oauth2.parameters has a parameter without a name: write its name, for example 'resource'",
  )
  t.end()
})

test('names of properties of every object are names of parameters', t => {
  t.doesNotThrow(define({ parameters: { constructor: 'a', toString: env('VALUE'), hasOwnProperty: 'b' } }))
  t.doesNotThrow(define({ parameters: Object.assign(Object.create(null) as object, { resource: 'cats' }) }))
  t.end()
})
