import { test } from 'tap'
import { namesCredential, redactedQuery } from '../../src/core/redacted-query.ts'

const secret = [
  'api_key',
  'apikey',
  'api%5Fkey',
  'APIKEY',
  'key1',
  'accessToken',
  'access_token',
  'token',
  'token[]',
  'token[0]',
  'token%20',
  '+token',
  'filter[token]',
  'filter%5Btoken%5D',
  'filter%5btoken%5d',
  'auth%5Bpassword%5D%5Bvalue%5D',
  'pwd',
  'pass',
  'db_pass',
  'userPass',
  'passphrase',
  'otp',
  'otp_code',
  'bearer',
  'sig',
  'AWSAccessKeyId',
  'X-Amz-Credential',
  'X-Amz-Signature',
  'client_secret',
  'session',
  'filter[session]',
  'user_id',
  '%zztoken',
  'tokens',
  'apiKeys',
  'API_KEYS',
  'ACCESSTOKENS',
  'secrets[0]',
  'passes',
  'userPasses',
  'sigs',
  'bearers',
  'credentials',
  'user_ids',
  'tenants',
  'jsessionid',
  'PHPSESSID',
  'ASPSESSIONID',
  'pin',
  'card_pin',
  'ssn',
  'otps',
  'code_verifier',
]

const others = [
  'q',
  'compass',
  'bypass',
  'passage',
  'passenger',
  'adopt',
  'design',
  'secretary',
  'keyword',
  'access',
  'compasses',
  'address',
  'status',
  'pint',
  'spin',
  'shopping',
  'code',
  'state',
  'this',
  'filter[name]',
  '%zz',
]

test('a query parameter that is named as a credential is hidden, in any encoding and in brackets', async t => {
  for (const name of secret)
    t.equal(redactedQuery(`http://a/b?${name}=VALUE&q=1`), `http://a/b?${name}=REDACTED&q=1`, name)
})

test('a query parameter whose name only contains such a word stays visible', async t => {
  for (const name of others) t.equal(redactedQuery(`http://a/b?${name}=VALUE`), `http://a/b?${name}=VALUE`, name)
})

test('a code is hidden beside a state, as OAuth sends them, and stays visible without one', async t => {
  t.equal(redactedQuery('/back?code=VALUE&state=a'), '/back?code=REDACTED&state=a')
  t.equal(redactedQuery('/back?state=a&x=1&c%6Fde=VALUE'), '/back?state=a&x=1&c%6Fde=REDACTED')
  t.equal(redactedQuery('/places?country_code=be&code=1000'), '/places?country_code=be&code=1000')
  t.equal(redactedQuery('/places?code=1000&state'), '/places?code=1000&state', 'a state without a value')
})

test('a URL without a query and a parameter without a value stay as they are', async t => {
  t.equal(redactedQuery('http://a/token=1'), 'http://a/token=1')
  t.equal(redactedQuery('http://a/b?token'), 'http://a/b?token')
})

test('the name of a credential is not that of an identity', t => {
  for (const name of ['token', 'apiKey', 'filter[accessToken]', 'Authorization', 'session', 'db_pass', 'tokens', 'pin'])
    t.ok(namesCredential(name), name)
  for (const name of ['org', 'user', 'users', 'userId', 'account', 'ip', 'compass', 'id'])
    t.notOk(namesCredential(name), name)
  t.end()
})
