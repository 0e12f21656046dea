import fc from 'fast-check'
import { test } from 'tap'
import { readHttpDate } from '../../src/core/http-date.ts'

const now = Date.UTC(2026, 2, 1, 12)
const read = (text: string) => readHttpDate(text, now)

test('the three forms of RFC 9110, section 5.6.7, are read', async t => {
  const example = Date.UTC(1994, 10, 6, 8, 49, 37)
  for (const [text, ms] of [
    ['Sun, 06 Nov 1994 08:49:37 GMT', example],
    ['Sunday, 06-Nov-94 08:49:37 GMT', example],
    ['Sun Nov  6 08:49:37 1994', example],
    ['Wed Nov 16 08:49:37 1994', Date.UTC(1994, 10, 16, 8, 49, 37)],
    ['Wed Nov 06 08:49:37 1994', example],
    ['Wednesday, 28-Feb-24 00:00:00 GMT', Date.UTC(2024, 1, 28)],
    ['Thu, 29 Feb 2024 23:59:59 GMT', Date.UTC(2024, 1, 29, 23, 59, 59)],
    ['Tue, 29 Feb 2000 00:00:00 GMT', Date.UTC(2000, 1, 29)],
    ['Fri, 31 Dec 9999 23:59:59 GMT', Date.UTC(9999, 11, 31, 23, 59, 59)],
    ['Sat, 01 Jan 0050 00:00:00 GMT', Date.parse('0050-01-01T00:00:00Z')],
  ] as const)
    t.equal(read(text), ms, text)
})

test('the second 60 is the first one of the next minute, and 61 is invalid', async t => {
  t.equal(read('Sat, 31 Dec 2016 23:59:60 GMT'), Date.UTC(2017, 0, 1))
  t.equal(read('Saturday, 31-Dec-16 23:59:60 GMT'), Date.UTC(2017, 0, 1))
  t.equal(read('Sat Dec 31 23:59:60 2016'), Date.UTC(2017, 0, 1))
  t.equal(read('Sat, 31 Dec 2016 23:59:61 GMT'), undefined)
})

test('the name of a day must be one, and is not compared with the date', async t => {
  t.equal(read('Mon, 06 Nov 1994 08:49:37 GMT'), Date.UTC(1994, 10, 6, 8, 49, 37))
  t.equal(read('Friday, 06-Nov-94 08:49:37 GMT'), Date.UTC(1994, 10, 6, 8, 49, 37))
  t.equal(read('Sat Nov  6 08:49:37 1994'), Date.UTC(1994, 10, 6, 8, 49, 37))
})

test('a year of two digits is the latest one that is not more than 50 years ahead', async t => {
  for (const [year, expected] of [
    ['26', 2026],
    ['27', 2027],
    ['50', 2050],
    ['75', 2075],
    ['77', 1977],
    ['99', 1999],
    ['00', 2000],
    ['25', 2025],
  ] as const)
    t.equal(read(`Sunday, 01-Mar-${year} 12:00:00 GMT`), Date.UTC(expected, 2, 1, 12), year)
  t.equal(read('Sunday, 01-Mar-76 12:00:00 GMT'), Date.UTC(2076, 2, 1, 12), 'exactly 50 years are not more than 50')
  t.equal(read('Sunday, 01-Mar-76 12:00:01 GMT'), Date.UTC(1976, 2, 1, 12, 0, 1))
  const in2079 = Date.UTC(2079, 5, 1)
  t.equal(readHttpDate('Sunday, 01-Mar-29 12:00:00 GMT', in2079), Date.UTC(2129, 2, 1, 12))
  t.equal(readHttpDate('Sunday, 01-Mar-30 12:00:00 GMT', in2079), Date.UTC(2030, 2, 1, 12))
  t.ok(
    Math.abs(
      (readHttpDate(`Sunday, 01-Mar-${String(new Date().getUTCFullYear()).slice(2)} 12:00:00 GMT`) ?? 0) - Date.now(),
    ) <
      366 * 864e5,
    'by the clock of the machine',
  )
})

test('every other text is not a date', async t => {
  for (const text of [
    '',
    '0',
    '-1',
    'now',
    'Sun',
    'Thu, 2050',
    'Thu, 01 Jan 2050',
    '2026-03-01T12:00:00Z',
    '1772366400',
    // days and months that do not exist
    'Fri, 31 Feb 2026 12:00:00 GMT',
    'Fri, 30 Feb 2024 12:00:00 GMT',
    'Fri, 29 Feb 2023 12:00:00 GMT',
    'Fri, 29 Feb 1900 12:00:00 GMT',
    'Fri, 31 Apr 2026 12:00:00 GMT',
    'Fri, 32 Jan 2026 12:00:00 GMT',
    'Fri, 00 Jan 2026 12:00:00 GMT',
    'Fri, 01 Foo 2026 12:00:00 GMT',
    'Friday, 31-Feb-26 12:00:00 GMT',
    'Fri Feb 31 12:00:00 2026',
    'Fri Feb  0 12:00:00 2026',
    // times that do not exist
    'Sun, 01 Mar 2026 24:00:00 GMT',
    'Sun, 01 Mar 2026 12:60:00 GMT',
    'Sun, 01 Mar 2026 12:00:99 GMT',
    'Sunday, 01-Mar-26 24:00:00 GMT',
    'Sun Mar  1 24:00:00 2026',
    // other zones
    'Sun, 01 Mar 2026 12:00:00 UTC',
    'Sun, 01 Mar 2026 12:00:00 PST',
    'Sun, 01 Mar 2026 12:00:00 +0500',
    'Sun, 01 Mar 2026 12:00:00 +0500 GMT',
    'Sun, 01 Mar 2026 12:00 +0500 GMT',
    'Sun, 01 Mar 2026 12:00:00 GMT+01',
    'Sun, 01 Mar 2026 12:00:00Z',
    'Sun, 01 Mar 2026 12:00:00',
    'Sun Mar  1 12:00:00 2026 GMT',
    // another case, or other words
    'sun, 01 Mar 2026 12:00:00 GMT',
    'SUN, 01 MAR 2026 12:00:00 GMT',
    'Sun, 01 mar 2026 12:00:00 GMT',
    'Sun, 01 Mar 2026 12:00:00 gmt',
    'Xyz, 01 Mar 2026 12:00:00 GMT',
    'Sunday, 01 Mar 2026 12:00:00 GMT',
    'Sun, 01-Mar-26 12:00:00 GMT',
    'Sun, 01-Mar-2026 12:00:00 GMT',
    'Someday, 01-Mar-26 12:00:00 GMT',
    'Sun March  1 12:00:00 2026',
    // other spaces and numbers of digits
    'Sun,01 Mar 2026 12:00:00 GMT',
    'Sun, 1 Mar 2026 12:00:00 GMT',
    'Sun,  1 Mar 2026 12:00:00 GMT',
    'Sun, 01  Mar 2026 2:00:00 GMT',
    'Sun, 01 Mar 26 12:00:00 GMT',
    'Sun, 01 Mar 02026 12:00:00 GMT',
    'Sun, 01 Mar 2026 12:00:0 GMT',
    'Sun, 01 Mar 2026 12.00.00 GMT',
    'Sun, 01 Mar 2026 1 :00:00 GMT',
    'Sun, 01 Mar -026 12:00:00 GMT',
    'Sun, 01 Mar 2026 12:00:00  GMT',
    ' Sun, 01 Mar 2026 12:00:00 GMT',
    'Sun, 01 Mar 2026 12:00:00 GMT ',
    'Sun, 01 Mar 2026 12:00:00 GMT, x',
    'Sun, 01 Mar ２０２６ 12:00:00 GMT',
    'Sun Mar 1 12:00:00 2026',
    'Sun Mar 001 12:00:00 2026',
    'Sun Mar\t 1 12:00:00 2026',
    'Sunday, 1-Mar-26 12:00:00 GMT',
    'Sunday, 01-Mar-026 12:00:00 GMT',
    'Sunday, 01-Mar-x6 12:00:00 GMT',
    'Sunday,  1-Mar-26 12:00:00 GMT',
    'Sunday 01-Mar-26 12:00:00 GMT',
    'Sunday; 01-Mar-26 12:00:00 GMT',
    'Sunday, 01/Mar-26 12:00:00 GMT',
    'Sunday, 01-Mar/26 12:00:00 GMT',
    'Sunday, 01-Mar-26T12:00:00 GMT',
    'Sunday, 01-Mar-26 12:00:00 UTC',
    'Xyz Mar  1 12:00:00 2026',
  ])
    t.equal(read(text), undefined, text)
})

test('every moment from the year 0 to 9999 is read from the forms that write it', t => {
  const names = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
  fc.assert(
    fc.property(fc.integer({ min: -62_167_219_200, max: 253_402_300_799 }), seconds => {
      const date = new Date(seconds * 1000)
      const fixdate = date.toUTCString()
      const [, day = '', month = '', year = '', time = ''] = fixdate.split(' ')
      const asctime = `${names[date.getUTCDay()]} ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`
      return readHttpDate(fixdate) === seconds * 1000 && readHttpDate(asctime) === seconds * 1000
    }),
  )
  t.end()
})

test('no text makes it throw or say a moment that is not a whole second', t => {
  const parts = fc.constantFrom('Sun', 'Sunday', ', ', ' ', '-', '06', 'Nov', '1994', '94', '08:49:37', ' GMT', '6')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(parts).map(each => each.join('')),
      ),
      text => {
        const ms = read(text)
        return ms === undefined || Number.isInteger(ms / 1000)
      },
    ),
  )
  t.end()
})
