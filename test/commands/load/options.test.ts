import { test } from 'tap'
import { UsageError } from '../../../src/commands/usage-error.ts'
import { readOptions } from '../../../src/commands/load/options.ts'

const url = 'http://127.0.0.1:3000/v1/cat-facts?count=5'

test('a URL is enough', async t => {
  t.match(readOptions([url]), {
    question: {
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
  t.equal(readOptions([url])?.question.url.href, url)
  t.equal(readOptions(['--help']), undefined)
})

test('every option is read', async t => {
  const options = readOptions([
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
    question: {
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
  t.equal(options?.question.body?.toString(), '{}')
  t.match(
    readOptions([url, '--rate=max', '--body', 'a=b', '--header', 'Content-Type: application/x-www-form-urlencoded']),
    {
      rate: undefined,
      question: {
        method: 'POST',
        headers: ['Content-Type', 'application/x-www-form-urlencoded', 'user-agent', 'headwaters-load'],
      },
    },
  )
})

test('what cannot be used is refused by its name', async t => {
  const refused: readonly (readonly [args: readonly string[], words: string])[] = [
    [[], 'needs the URL'],
    [['127.0.0.1:3000'], 'no http or https URL'],
    [['ftp://a/'], 'no http or https URL'],
    [['http://me:secret@a/'], 'a URL with a password'],
    [[url, url], 'one URL'],
    [[url, '--rate', '0'], "--rate '0' is none: give a number from 0.1 to 100000 or max"],
    [[url, '--rate', '1e3'], '--rate'],
    [[url, '--connections', '1.5'], "--connections '1.5' is none: give a whole number from 1 to 10000"],
    [[url, '--duration', '30'], "--duration '30' is no time: give one such as 500ms, 30s or 2m"],
    [[url, '--duration', '0s'], '--duration'],
    [[url, '--duration', '25h'], 'at most 24h'],
    [[url, '--timeout', '-1s'], '--timeout'],
    [[url, '--header', 'no colon'], "--header 'no colon' is none: give 'name: value'"],
    [[url, '--header', 'a b: c'], '--header'],
    [[url, '--method', 'GET /'], '--method'],
    [[url, '--method', 'connect'], "--method 'connect' is none"],
    [[url, '--body', 'a', '--body-file', 'b'], 'two bodies'],
    [[url, '--body-file', 'not-there.json'], "--body-file 'not-there.json' cannot be read: ENOENT"],
    [[url, '--max-errors', '101'], "--max-errors '101' is none: give a number from 0 to 100"],
    [[url, '--max-p99', 'soon'], '--max-p99'],
    [[url, '--conections', '5'], "did you mean '--connections'?"],
  ]
  for (const [args, words] of refused) {
    try {
      readOptions(args)
      t.fail(`${args.slice(1).join(' ')} is taken`)
    } catch (error) {
      t.ok(error instanceof UsageError)
      t.ok((error as Error).message.includes(words), (error as Error).message)
      t.notMatch((error as Error).message, 'secret')
    }
  }
})
