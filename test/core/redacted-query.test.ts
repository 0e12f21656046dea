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
  'bearers',
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

test('a URL without a query and a parameter without a value stay as they are', async t => {
  t.equal(redactedQuery('http://a/token=1'), 'http://a/token=1')
  t.equal(redactedQuery('http://a/b?token'), 'http://a/b?token')
})

test('the name of a credential is not that of an identity', t => {
  for (const name of ['token', 'apiKey', 'filter[accessToken]', 'Authorization', 'session', 'db_pass'])
    t.ok(namesCredential(name), name)
  for (const name of ['org', 'user', 'userId', 'account', 'ip', 'compass', 'id']) t.notOk(namesCredential(name), name)
  t.end()
})
