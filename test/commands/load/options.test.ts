import { test } from 'tap'
import { UsageError } from '../../../src/commands/usage-error.ts'
import { readLoadOptions } from '../../../src/commands/load/options.ts'

const url = 'http://127.0.0.1:3000/v1/cat-facts?count=5'

test('a URL is enough', async t => {
  t.match(readLoadOptions([url]), {
    request: {
      method: 'GET',
      body: undefined,
      timeoutMs: 10_000,
      headers: ['user-agent', 'headwaters-load'],
      isInsecure: false,
    },
    rate: 100,
    connections: 100,
    durationMs: 10_000,
    warmUpMs: 2000,
    json: false,
    maxP99Ms: undefined,
    maxErrorPercent: undefined,
  })
  t.equal(readLoadOptions([url])?.request.url.href, url)
  t.equal(readLoadOptions(['--help']), undefined)
})

test('every option is read', async t => {
  const options = readLoadOptions([
    url,
    '--rate',
    '0.5',
    '--connections',
    '7',
    '--duration',
    '1.5m',
    '--warm-up',
    '0',
    '--timeout',
    '250ms',
    '--method',
    'put',
    '--header',
    'x-a: 1',
    '--header',
    'user-agent:me',
    '--body',
    '{}',
    '--insecure',
    '--json',
    '--max-p99',
    '80ms',
    '--max-errors',
    '0.5%',
  ])
  t.match(options, {
    request: {
      method: 'PUT',
      timeoutMs: 250,
      headers: ['x-a', '1', 'user-agent', 'me', 'content-type', 'application/json'],
      isInsecure: true,
    },
    rate: 0.5,
    connections: 7,
    durationMs: 90_000,
    warmUpMs: 0,
    json: true,
    maxP99Ms: 80,
    maxErrorPercent: 0.5,
  })
  t.equal(options?.request.body?.toString(), '{}')
  t.match(
    readLoadOptions([
      url,
      '--rate=max',
      '--body',
      'a=b',
      '--header',
      'Content-Type: application/x-www-form-urlencoded',
    ]),
    {
      rate: undefined,
      request: {
        method: 'POST',
        headers: ['Content-Type', 'application/x-www-form-urlencoded', 'user-agent', 'headwaters-load'],
      },
    },
  )
})

test('an invalid argument is rejected by its name', async t => {
  const refused: readonly (readonly [args: readonly string[], words: string])[] = [
    [[], 'needs the URL'],
    [['127.0.0.1:3000'], 'the URL must begin with http:// or https://'],
    [['ftp://a/'], 'the URL must begin with http:// or https://'],
    [['http://me:secret@a/'], 'the URL must not contain a user or a password'],
    [[url, url], `load takes one URL: remove '${url}'`],
    [[url, '--rate', '0'], "--rate must be a number from 0.1 to 100000 or max, got '0'"],
    [[url, '--rate', '1e3'], '--rate'],
    [[url, '--connections', '1.5'], "--connections must be an integer from 1 to 10000, got '1.5'"],
    [[url, '--duration', '30'], "--duration must be a time such as 500ms, 30s or 2m, at most 24h, got '30'"],
    [[url, '--duration', '0s'], '--duration'],
    [[url, '--duration', '25h'], 'at most 24h'],
    [[url, '--timeout', '-1s'], '--timeout'],
    [[url, '--header', 'no colon'], "--header must be 'name: value', got 'no colon'"],
    [[url, '--header', 'a b: c'], '--header'],
    [[url, '--method', 'GET /'], '--method'],
    [[url, '--method', 'connect'], "--method must be an HTTP method other than CONNECT, got 'connect'"],
    [[url, '--body', 'a', '--body-file', 'b'], '--body and --body-file exclude each other'],
    [[url, '--body-file', 'not-there.json'], "--body-file: cannot read 'not-there.json': ENOENT"],
    [[url, '--max-errors', '101'], "--max-errors must be a number from 0 to 100, got '101'"],
    [[url, '--max-p99', 'soon'], '--max-p99'],
    [[url, '--conections', '5'], "did you mean '--connections'?"],
  ]
  for (const [args, words] of refused) {
    try {
      readLoadOptions(args)
      t.fail(`${args.slice(1).join(' ')} is taken`)
    } catch (error) {
      t.ok(error instanceof UsageError)
      t.ok((error as Error).message.includes(words), (error as Error).message)
      t.notMatch((error as Error).message, 'secret')
    }
  }
})
