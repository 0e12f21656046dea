import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'tap'
import { childEnvironment } from '../../helpers/child-environment.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { quietPort } from '../../helpers/quiet-port.ts'
import { selfSigned } from '../../helpers/self-signed.ts'
import { startService } from '../../helpers/service-process.ts'
import { loadResult, runHeadwaters, runLoad } from './helpers/run-load.ts'

const root = join(import.meta.dirname, '../../..')
const atOnce = ['--warm-up', '0']
const whole = json({ data: [], complete: true, sources: {} })
const partial = json({ data: [], complete: false, sources: {} })
const msAt = (rows: readonly { readonly percentile: number; readonly ms: number }[] | null, wanted: number) =>
  rows?.find(({ percentile }) => percentile === wanted)?.ms ?? NaN

test('a service that stands still once shows it from due, and hides it from sent', async t => {
  const stallMs = 600
  let stallsUntil: number | undefined
  const upstream = await rawUpstream(t, (socket, { index }) => {
    const answer = () => socket.write(whole)
    if (index === 50) stallsUntil = performance.now() + stallMs
    const left = (stallsUntil ?? 0) - performance.now()
    if (left > 0) setTimeout(answer, left)
    else answer()
  })
  const { corrected, uncorrected, due, sent, answered, waited, code } = await loadResult(
    upstream.origin,
    ...atOnce,
    '--rate',
    '100',
    '--connections',
    '1',
    '--duration',
    '2s',
  )
  t.equal(code, 0)
  t.same([due, sent, answered], [200, 200, 200])
  t.ok(waited >= 40, `${waited} waited`)
  // A machine that pauses makes both longer; the one from sent still has the stall in one request of 200.
  t.ok(msAt(corrected, 90) >= stallMs / 3, `p90 from due ${msAt(corrected, 90)} ms`)
  t.ok(msAt(corrected, 99) >= stallMs * 0.9, `p99 from due ${msAt(corrected, 99)} ms`)
  t.ok(msAt(uncorrected, 90) < msAt(corrected, 90) / 2, `p90 from sent ${msAt(uncorrected, 90)} ms`)
  t.ok(msAt(uncorrected, 100) >= stallMs * 0.9)
})

test('a service that hangs is asked over as many connections as there are, and the run ends in time', async t => {
  const upstream = await rawUpstream(t, () => {})
  const { code, sent, answered, neverSent, due, errors, notes, violations, corrected } = await loadResult(
    upstream.origin,
    ...atOnce,
    '--rate',
    '200',
    '--connections',
    '5',
    '--duration',
    '1s',
    '--timeout',
    '400ms',
  )
  t.equal(code, 1)
  t.equal(answered, 0)
  t.equal(due, 200)
  t.equal(sent + neverSent, 200)
  t.ok(neverSent > 150)
  t.ok((errors['timed out'] ?? 0) >= 5)
  t.same(
    Object.keys(errors).filter(name => name !== 'timed out' && name !== 'cut off at the end'),
    [],
  )
  t.ok(msAt(corrected, 100) >= 400)
  t.match(
    notes.join('\n'),
    /the rate was not reached: \d+ of 200 due requests were never sent because all 5 connections were busy/,
  )
  t.match(notes.join('\n'), '200 requests got no answer; the table has the time after which each was aborted')
  t.same(violations, ['no request was answered'])
  await upstream.deserted()
})

test('a load test of a port without a listener fails at once and says so', async t => {
  const { code, stdout, stderr } = await runLoad(`http://127.0.0.1:${await quietPort()}/`, '--duration', '1h')
  t.equal(code, 1)
  t.equal(stdout, '')
  t.match(
    stderr,
    /^headwaters: cannot connect to http:\/\/127\.0\.0\.1:\d+: connection refused; start the service or correct the URL\n$/,
  )
})

test('lost connections and invalid answers are errors by kind', async t => {
  const upstream = await rawUpstream(t, (socket, { index }) => {
    if (index % 3 === 0) socket.destroy()
    else socket.write(index % 3 === 1 ? 'What?\r\n\r\n' : whole)
  })
  const { answered, errors, corrected, code } = await loadResult(
    upstream.origin,
    ...atOnce,
    '--rate',
    '60',
    '--connections',
    '1',
    '--duration',
    '1s',
  )
  t.equal(code, 0, 'something was answered')
  t.same({ answered, errors }, { answered: 20, errors: { 'connection lost': 20, 'not HTTP': 20 } })
  t.equal(corrected?.at(-1)?.count, 20, 'how fast they fail is no latency')
})

test('successful and failed answers are counted separately, and bounds decide the exit code', async t => {
  const answers = [whole, partial, json({}, 503, { 'retry-after': '1' }), json({}, 502)]
  const upstream = await rawUpstream(t, (socket, { index }) => socket.write(answers[index % 4] as Buffer))
  const run = (...args: readonly string[]) =>
    loadResult(upstream.origin, ...atOnce, '--rate', '200', '--duration', '200ms', ...args)
  const well = await run('--max-errors', '50', '--max-p99', '1m')
  t.equal(well.code, 0)
  t.match(well.replies, {
    whole: { count: 10 },
    partial: { count: 10 },
    refused: { count: 10 },
    failed: { count: 10 },
    other: { count: 0, p99Ms: null },
  })
  t.same(well.statuses, { 200: 20, 502: 10, 503: 10 })
  t.equal(well.bytes, answers.reduce((sum, answer) => sum + answer.length - answer.indexOf('\r\n\r\n') - 4, 0) * 10)

  const ill = await run('--max-errors', '49.9', '--max-p99', '1ms', '--timeout', '30s')
  t.equal(ill.code, 1)
  t.match(
    ill.violations,
    /50\.00 % of the requests were refused, failed, not answered or never sent, above --max-errors 49\.9/,
  )
})

test('a p99 above its bound fails', async t => {
  const upstream = await rawUpstream(t, socket => setTimeout(() => socket.write(whole), 30))
  const { code, stdout } = await runLoad(
    upstream.origin,
    ...atOnce,
    '--rate',
    '50',
    '--duration',
    '200ms',
    '--max-p99',
    '20ms',
  )
  t.equal(code, 1)
  t.match(stdout, /^violated: p99 is \d+\.\d ms, above --max-p99 20ms$/m)
})

test('method, headers and body are sent as given', async t => {
  const upstream = await rawUpstream(t, whole)
  const file = join(t.testdir({ 'body.json': '{"from":"file"}' }), 'body.json')
  const shortly = [...atOnce, '--rate', '10', '--duration', '100ms']
  t.equal(
    (await loadResult(`${upstream.origin}/a?b=c%20d`, ...shortly, '--header', 'x-one: 1', '--header', 'x-two: a: b'))
      .code,
    0,
  )
  t.equal((await loadResult(upstream.origin, ...shortly, '--body-file', file)).code, 0)
  t.equal(
    (
      await loadResult(
        upstream.origin,
        ...shortly,
        '--method',
        'put',
        '--body',
        'x',
        '--header',
        'content-type: text/plain',
      )
    ).code,
    0,
  )
  const [first, second, third] = upstream.requests
  t.match(first, { method: 'GET', path: '/a?b=c%20d', body: '' })
  t.same(
    first?.headers.filter(([name]) => name.startsWith('x-') || name === 'user-agent'),
    [
      ['x-one', '1'],
      ['x-two', 'a: b'],
      ['user-agent', 'headwaters-load'],
    ],
  )
  t.match(second, { method: 'POST', path: '/', body: '{"from":"file"}' })
  t.same(
    second?.headers.filter(([name]) => name === 'content-type'),
    [['content-type', 'application/json']],
  )
  t.match(third, { method: 'PUT', body: 'x' })
  t.same(
    third?.headers.filter(([name]) => name === 'content-type'),
    [['content-type', 'text/plain']],
  )
})

test('a closed loop says that it cannot be corrected, and has one column', async t => {
  const upstream = await rawUpstream(t, whole)
  const args = [upstream.origin, ...atOnce, '--rate', 'max', '--connections', '3', '--duration', '300ms']
  const { corrected, uncorrected, loop, rate, notes, answered, sent } = await loadResult(...args)
  t.match({ corrected, loop, rate }, { corrected: null, loop: 'closed', rate: null })
  t.equal(answered, sent)
  t.ok(answered > 3)
  t.equal(uncorrected.at(-1)?.count, answered)
  t.match(notes, /a closed loop sends nothing while the service stalls/)
  t.ok(upstream.connections <= 4, 'three, and the one that looked whether anybody is there')
  const { stdout } = await runLoad(...args)
  t.match(stdout, /^closed loop over 3 connections, 0\.3 s$/m)
  t.match(stdout, /^percentile +ms from sent +count +1\/\(1-p\)$/m)
  t.match(stdout, /^note: a closed loop sends nothing while the service stalls/m)
})

test('in a pipe each second is a line on stderr, and the table is all there is on stdout', async t => {
  const upstream = await rawUpstream(t, whole)
  const { code, stdout, stderr } = await runLoad(
    upstream.origin,
    '--rate',
    '40',
    '--connections',
    '4',
    '--duration',
    '2s',
    '--warm-up',
    '1500ms',
  )
  t.equal(code, 0)
  t.notMatch(stdout + stderr, '\x1b')
  t.match(
    stderr,
    /^ {4}1 s {2}warming up {2}sent \d+ {2}answered \d+ {2}in flight \d {2}waiting \d+ {2}p50 [\d.]+ {2}p99 [\d.]+ {2}max [\d.]+ ms$/m,
  )
  t.match(stderr, /^ {4}\d s {2}sent \d+ .* ms {2}200: \d+$/m)
  const lines = stdout.split('\n')
  t.match(lines.slice(0, 3), [
    `GET ${upstream.origin}/`,
    'open loop, 40/s over 4 connections, 2 s after 1.5 s of warm-up',
    /^due 80, sent 80, answered 80, \d+\.\d a second/,
  ])
  t.match(
    stdout,
    /^percentile +ms from due +count +ms from sent +count +1\/\(1-p\)\n50 +[\d.]+ +40 +[\d.]+ +40 +2\n75 +[\d.]+ +60 +[\d.]+ +60 +4\n90 [^]*\n99\.99 +[\d.]+ +80 +[\d.]+ +80 +10000\n100 +[\d.]+ +80 +[\d.]+ +80 +inf$/m,
  )
  t.match(stdout, /^whole +80 +[\d.]+ +[\d.]+ +[\d.]+$/m)
  t.match(
    stdout,
    /^statuses {2}200: 80\nerrors {4}none\nbytes {5}\d\.\d kB of bodies\nsender {4}late by [\d.]+ ms \(p50\), [\d.]+ \(p99\), [\d.]+ \(max\); busy \d+ %$/m,
  )
})

test('SIGINT ends it early with what there is, and 130; a service that hangs does not hold it', async t => {
  const upstream = await rawUpstream(t, (socket, { index }) => {
    if (index < 5) socket.write(whole)
  })
  const child = spawn(
    process.execPath,
    ['src/cli.ts', 'load', upstream.origin, ...atOnce, '--duration', '1h', '--timeout', '1h', '--json'],
    { cwd: root, env: childEnvironment, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  t.teardown(() => child.kill('SIGKILL'))
  const [output, errors] = [text(child.stdout), text(child.stderr)]
  await upstream.asked(60)
  child.kill('SIGINT')
  const [code] = (await once(child, 'close')) as [number | null]
  t.equal(code, 130)
  t.equal(await errors, '', 'nothing is said with --json')
  const result = JSON.parse(await output) as { errors: Record<string, number> }
  t.match(result, { isInterrupted: true, answered: 5, violations: [] })
  t.ok((result.errors['cut off at the end'] ?? 0) >= 55)
  await upstream.deserted()
})

test('arguments that cannot be used are 2 with the usage, and --help prints it', async t => {
  const { code, stdout, stderr } = await runLoad('http://127.0.0.1:1/', '--rate', 'fast')
  t.same([code, stdout], [2, ''])
  t.equal(
    stderr,
    "headwaters: --rate must be a number from 0.1 to 100000 or max, got 'fast'\n\nUsage: " +
      'headwaters load URL [options]\nMore: headwaters load --help\n',
  )
  const help = await runLoad('--help')
  t.equal(help.code, 0)
  t.match(help.stdout, /^headwaters: .*\n\nUsage: headwaters load URL/)
})

test('load is a command of headwaters, and a misspelt option gets a suggestion', async t => {
  t.match((await runHeadwaters('--help')).stdout, /^ {2}load URL {2,}\S/m)
  const { code, stderr } = await runLoad('http://127.0.0.1:1/', '--conections', '5')
  t.equal(code, 2)
  t.match(stderr, "unknown option '--conections': did you mean '--connections'?")
  t.match((await runHeadwaters('laod', 'http://127.0.0.1:1/')).stderr, "did you mean 'load'?")
})

test('a self-signed certificate is accepted with --insecure only', async t => {
  const upstream = await rawUpstream(t, whole, selfSigned)
  const shortly = [upstream.origin, ...atOnce, '--rate', '10', '--duration', '100ms']
  const refused = await loadResult(...shortly)
  t.equal(refused.code, 1)
  t.match(refused.errors, { DEPTH_ZERO_SELF_SIGNED_CERT: 1 })
  t.match(await loadResult(...shortly, '--insecure'), { code: 0, replies: { whole: { count: 1 } } })
})

test("the service's own replies are known as whole or partial", async t => {
  const facts = await rawUpstream(t, json({ fact: 'Cats purr.', length: 10 }))
  const { origin } = await startService(t, {
    LOG_LEVEL: 'info',
    HEADWATERS_UPSTREAM_CATFACT_NINJA_ORIGIN: facts.origin,
    HEADWATERS_UPSTREAM_MEOWFACTS_OFF: '1',
  })
  const shortly = [...atOnce, '--rate', '10', '--duration', '500ms']
  t.match((await loadResult(`${origin}/v1/cat-facts`, ...shortly)).replies, {
    partial: { count: 5 },
    whole: { count: 0 },
    other: { count: 0 },
  })
  t.match((await loadResult(`${origin}/health/live`, ...shortly)).replies, { other: { count: 5 } })
})

test('a request that cannot be sent is an error, at a rate and without one', async t => {
  const upstream = await rawUpstream(t, whole)
  for (const rate of ['50', 'max']) {
    const { code, answered, errors } = await loadResult(
      upstream.origin,
      ...atOnce,
      '--rate',
      rate,
      '--connections',
      '2',
      '--duration',
      '300ms',
      '--header',
      'transfer-encoding: chunked',
    )
    t.same([code, answered], [1, 0], rate)
    t.match(Object.keys(errors), [/^UND_ERR_/])
  }
  t.equal(upstream.requests.length, 0)
})

test('a body that comes in parts counts whole, and from its end', async t => {
  const [head = '', body = ''] = whole.toString().split('\r\n\r\n')
  const upstream = await rawUpstream(t, socket => {
    socket.write(`${head}\r\n\r\n${body.slice(0, 12)}`)
    setTimeout(() => socket.write(body.slice(12)), 40)
  })
  const { replies, bytes } = await loadResult(upstream.origin, ...atOnce, '--rate', '20', '--duration', '200ms')
  t.match(replies, { whole: { count: 4 } })
  t.ok((replies.whole.p50Ms ?? 0) >= 39)
  t.equal(bytes, 4 * body.length)
})
