/* common/domain/date.c - day numbers and timestamps. */
#include "common/domain/date.h"

#include <stdio.h>

/* Days in the years before `year`, counted from 0000-03-01 in eras of 400 years (146,097 days), so that the leap day is
 * the last day of a year. */
int32_t day_from_civil(struct civil_date date)
{
    int32_t year = date.month <= 2 ? date.year - 1 : date.year;
    int32_t era = (year >= 0 ? year : year - 399) / 400;
    int32_t year_of_era = year - era * 400;
    int32_t month_from_march = (date.month + 9) % 12;
    int32_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
    int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

struct civil_date day_to_civil(int32_t day)
{
    int32_t shifted = day + 719468;
    int32_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int32_t day_of_era = shifted - era * 146097;
    int32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int32_t month_from_march = (5 * day_of_year + 2) / 153;
    struct civil_date date;
    date.day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    date.month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    date.year = year_of_era + era * 400 + (date.month <= 2);
    return date;
}

static bool read_digits(const char *p, size_t count, int32_t *value)
{
    int32_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        sum = sum * 10 + (p[i] - '0');
    }
    *value = sum;
    return true;
}

static bool is_leap(int32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int32_t days_in_month(int32_t year, int32_t month)
{
    static const int32_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

bool day_parse(struct bytes text, int32_t *day)
{
    struct civil_date date;
    if (text.len != DATE_TEXT_LEN || text.data[4] != '-' || text.data[7] != '-')
        return false;
    if (!read_digits(text.data, 4, &date.year) || !read_digits(text.data + 5, 2, &date.month) ||
        !read_digits(text.data + 8, 2, &date.day))
        return false;
    if (date.year < 1 || date.month < 1 || date.month > 12 || date.day < 1 ||
        date.day > days_in_month(date.year, date.month))
        return false;
    *day = day_from_civil(date);
    return true;
}

/* Reads "HH:MM:SS" at the start of `text`, as seconds since midnight. */
static bool read_time(struct bytes text, int64_t *seconds)
{
    int32_t hour, minute, second;
    if (text.len < 8 || text.data[2] != ':' || text.data[5] != ':' || !read_digits(text.data, 2, &hour) ||
        !read_digits(text.data + 3, 2, &minute) || !read_digits(text.data + 6, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    *seconds = hour * 3600 + minute * 60 + second;
    return true;
}

/* Reads ".f" to ".ffffff" at the start of `text`, or nothing; returns the number of bytes read. */
static size_t read_fraction(struct bytes text, int64_t *us)
{
    *us = 0;
    if (text.len < 2 || text.data[0] != '.')
        return 0;
    size_t len = 1;
    int64_t unit = US_PER_S / 10;
    for (; len < text.len && len <= 6 && text.data[len] >= '0' && text.data[len] <= '9'; len++) {
        *us += (text.data[len] - '0') * unit;
        unit /= 10;
    }
    return len > 1 ? len : 0;
}

static bool read_offset(struct bytes text, int32_t *offset_s)
{
    int32_t part[3] = {0, 0, 0};
    size_t at = 1;
    if (text.len < 3 || (text.data[0] != '+' && text.data[0] != '-'))
        return false;
    for (int i = 0; i < 3 && at < text.len; i++) {
        if (i > 0 && text.data[at++] != ':')
            return false;
        if (text.len - at < 2 || !read_digits(text.data + at, 2, &part[i]))
            return false;
        at += 2;
    }
    if (at != text.len)
        return false;
    int32_t seconds = part[0] * 3600 + part[1] * 60 + part[2];
    *offset_s = text.data[0] == '-' ? -seconds : seconds;
    return true;
}

bool timestamp_parse(struct bytes text, struct timestamp *out, int32_t *offset_s)
{
    int32_t day, offset = 0;
    int64_t seconds = 0, us = 0;
    if (text.len < DATE_TEXT_LEN || !day_parse((struct bytes){text.data, DATE_TEXT_LEN}, &day))
        return false;
    struct bytes rest = {text.data + DATE_TEXT_LEN, text.len - DATE_TEXT_LEN};
    enum timestamp_kind kind = rest.len == 0 ? TIMESTAMP_DATE : TIMESTAMP_TIME;
    if (kind == TIMESTAMP_TIME) {
        if (rest.data[0] != ' ' && rest.data[0] != 'T')
            return false;
        if (!read_time((struct bytes){rest.data + 1, rest.len - 1}, &seconds))
            return false;
        rest = (struct bytes){rest.data + 9, rest.len - 9};
        size_t fraction_len = read_fraction(rest, &us);
        rest = (struct bytes){rest.data + fraction_len, rest.len - fraction_len};
        if (rest.len > 0 && !read_offset(rest, &offset))
            return false;
    }
    *out = (struct timestamp){day * US_PER_DAY + seconds * US_PER_S + us, kind};
    *offset_s = offset;
    return true;
}

void day_format(int32_t day, char out[DATE_TEXT_LEN + 1])
{
    struct civil_date date = day_to_civil(day);
    unsigned year = (unsigned)date.year % 10000, month = (unsigned)date.month % 100,
             dom = (unsigned)date.day % 100;
    snprintf(out, DATE_TEXT_LEN + 1, "%04u-%02u-%02u", year, month, dom);
}

int32_t day_of_wall_us(int64_t wall_us)
{
    int64_t day = wall_us / US_PER_DAY;
    return (int32_t)(wall_us % US_PER_DAY < 0 ? day - 1 : day);
}

size_t timestamp_format(struct timestamp timestamp, char out[TIMESTAMP_TEXT_MAX])
{
    int32_t day = day_of_wall_us(timestamp.wall_us);
    day_format(day, out);
    if (timestamp.kind == TIMESTAMP_DATE)
        return DATE_TEXT_LEN;
    int64_t us = timestamp.wall_us - day * US_PER_DAY;
    unsigned second = (unsigned)(us / US_PER_S), fraction = (unsigned)(us % US_PER_S);
    int len = snprintf(out + DATE_TEXT_LEN, TIMESTAMP_TEXT_MAX - DATE_TEXT_LEN, "T%02u:%02u:%02u",
                       second / 3600 % 24, second / 60 % 60, second % 60);
    size_t total = DATE_TEXT_LEN + (size_t)len;
    if (fraction != 0)
        total += (size_t)snprintf(out + total, TIMESTAMP_TEXT_MAX - total, ".%06u", fraction);
    return total;
}
