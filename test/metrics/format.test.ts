import { test } from 'tap'
import { negotiateFormat } from '../../src/metrics/format.ts'

const openmetrics = 'application/openmetrics-text'

test('the accept headers of Prometheus get OpenMetrics, and those of browsers and curl the text format', async t => {
  for (const [accept, expected] of [
    // Prometheus 2.42, 2.55 and 3.5
    [
      `${openmetrics};version=1.0.0,${openmetrics};version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1`,
      'openmetrics',
    ],
    [
      `${openmetrics};version=1.0.0;q=0.5,${openmetrics};version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2`,
      'openmetrics',
    ],
    [
      `${openmetrics};version=1.0.0;escaping=allow-utf-8;q=0.6,${openmetrics};version=0.0.1;q=0.5,` +
        'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      'openmetrics',
    ],
    // A Prometheus that asks for Protobuf first, and one that is configured for the text format only
    [
      'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,' +
        `${openmetrics};version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2`,
      'openmetrics',
    ],
    ['text/plain;version=0.0.4;q=0.5,*/*;q=0.1', 'prometheus'],
    // curl, Chromium, fetch, and no header
    ['*/*', 'prometheus'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', 'prometheus'],
    ['', 'prometheus'],
    [undefined, 'prometheus'],
  ] as const)
    t.equal(negotiateFormat(accept), expected, accept ?? 'no header')
})

test('the quality of the most specific range decides', async t => {
  for (const [accept, expected] of [
    [openmetrics, 'openmetrics'],
    ['Application/OpenMetrics-Text; Version="1.0.0"', 'openmetrics'],
    [`text/plain, ${openmetrics}`, 'prometheus'],
    [`text/plain;q=0.5, ${openmetrics};q=0.6`, 'openmetrics'],
    [`text/plain;q=0.6, ${openmetrics};q=0.5`, 'prometheus'],
    [`*/*, ${openmetrics};q=0`, 'prometheus'],
    [`*/*;q=0.1, text/plain;q=0`, 'openmetrics'],
    ['text/*, application/*;q=0.1', 'prometheus'],
    ['text/*;q=0.1, application/*', 'openmetrics'],
    [`application/*;q=0.9, ${openmetrics};q=0.1, text/plain;q=0.5`, 'prometheus'],
    // A version that is not written
    [`${openmetrics};version=0.0.1, text/plain;q=0.1`, 'prometheus'],
    [`${openmetrics};version=2.0.0;q=1, ${openmetrics};version=1.0.0;q=0.4, text/plain;q=0.5`, 'prometheus'],
    ['text/plain;version=9, */*;q=0.1', 'prometheus'],
    // Qualities that are none
    [`${openmetrics};q=, text/plain;q=0.1`, 'prometheus'],
    [`${openmetrics};q=many, text/plain;q=0.1`, 'prometheus'],
    [`${openmetrics};q=2, text/plain;q=0.1`, 'prometheus'],
    [`${openmetrics};q=-1, text/plain;q=0.1`, 'prometheus'],
    ['application/json', 'prometheus'],
    [',,;;=,"', 'prometheus'],
  ] as const)
    t.equal(negotiateFormat(accept), expected, accept)
})
