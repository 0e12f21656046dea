import fc from 'fast-check'
import { test } from 'tap'
import { queryNameMatcher } from '../../../src/upstream/spec/query-name.ts'

const isKey = queryNameMatcher('api_key')

test('a name is recognised in every form in which a server reads it', t => {
  for (const name of [
    'api_key',
    'API_KEY',
    'Api_Key',
    'api%5fkey',
    'api%5Fkey',
    '%61pi_key',
    '%2561pi_key',
    '%u0061pi_key',
    '\uff41pi_key',
    'api_\u212aey',
    'api%5f\uff4bey',
    '%c1%a1pi_key',
    'api_key[]',
    'api_key[0]',
    'api_key[a][b]',
    'api_key%5b%5d',
    'api_key.',
    'api_key.a',
    'api_key[',
    'api.key',
    'api key',
    'api+key',
    'api[key',
    ' api_key',
    'api_key ',
    '\tapi_key',
    'api\n_key',
    '[api_key]',
    '[api_key][x]',
    '[]api_key',
    ']api_key',
    '.api_key',
    '%5bapi_key%5d',
    'x&[api_key]',
    ' [api_key]',
    '[ api_key ]',
    'api_key\0',
    'api_key\0x',
    'api_key%00',
    'x&api_key',
    'x%26api_key',
    'x;api_key',
    'api_key=1',
    'api_key%3d1',
    '?api_key',
    'api\u200b_key',
    'api_\ufffdkey',
    `%${'25'.repeat(12)}`,
    'x'.repeat(257),
  ])
    t.ok(isKey(name), JSON.stringify(name))
  t.end()
})

test('other names are not', t => {
  for (const name of [
    '',
    'key',
    'api',
    'api-key',
    'apikey',
    'api_keys',
    'my_api_key',
    'x.api_key',
    'x[api_key]',
    '[x][api_key]',
    '[api_keys]',
    '[]',
    '[.',
    'api_key_2',
    'q',
    '%',
    '100%',
    'a&b',
    'x'.repeat(256),
  ]) {
    for (const time of ['first', 'second']) t.notOk(isKey(name), `${JSON.stringify(name)}, the ${time} time`)
  }
  t.ok(queryNameMatcher('v1.key')('v1_key'))
  t.ok(queryNameMatcher('KEY')('key'))
  t.end()
})

test('names beyond the cached ones are distinguished too', t => {
  const matcher = queryNameMatcher('key')
  for (let index = 0; index < 300; index++) t.notOk(matcher(`n${index}`))
  t.ok(matcher('Key'))
  t.notOk(matcher('n299'))
  t.end()
})

test('letter case, encoding and brackets never hide a name', t => {
  const part = fc.constantFrom<(text: string) => string>(
    text => text.toUpperCase(),
    encodeURIComponent,
    text => Array.from(text, each => `%${each.charCodeAt(0).toString(16).padStart(2, '0')}`).join(''),
    text => `${text}[]`,
    text => ` ${text}`,
  )
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/), fc.array(part, { maxLength: 4 }), (name, parts) =>
      queryNameMatcher(name)(parts.reduce((text, each) => each(text), name)),
    ),
  )
  t.end()
})
