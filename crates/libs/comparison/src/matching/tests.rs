use super::*;

const A: &str = "00000000-0000-4000-8000-00000000000a";
const B: &str = "00000000-0000-4000-8000-00000000000b";
const C: &str = "00000000-0000-4000-8000-00000000000c";

#[test]
fn ids_are_matched_and_not_ignored() {
    let mut pairs = Pairs::default();
    assert!(same_text(&format!("[{A}]"), &format!("[{B}]"), &mut pairs));
    assert!(same_text(&format!("{{{A}}}"), &format!("{{{B}}}"), &mut pairs));
    assert!(!same_text(A, C, &mut pairs), "A stands for B already");
    assert!(!same_text(C, B, &mut pairs), "B stands for A already");
    assert!(!same_text(A, A, &mut pairs), "A stands for B, not for itself");
}

#[test]
fn equal_ids_stand_for_themselves() {
    let mut pairs = Pairs::default();
    let list = format!("[{A},{B}]");
    assert!(same_text(&list, &list, &mut pairs));
    assert!(!same_text(A, B, &mut pairs), "another owner");
    assert!(!same_text(&list, &format!("[{B},{A}]"), &mut pairs), "another order");
    assert!(!same_text(A, C, &mut pairs), "another row");
    assert!(same_text(A, A, &mut pairs));
}

/// Dates that a client gave are older than the run, and nothing else in the body is equal.
#[test]
fn old_times_that_are_equal_are_the_same() {
    let mut pairs = Pairs::starting_now();
    let body = |id: &str| format!(r#"{{"id":"{id}","due":"2020-01-02T03:04:05Z"}}"#);
    assert!(same_text(&body(A), &body(B), &mut pairs));
    let other = body(B).replace("05Z", "06Z");
    assert!(!same_text(&body(A), &other, &mut pairs));
}

#[test]
fn the_version_of_an_id_counts() {
    let v7 = "00000000-0000-7000-8000-00000000000a";
    assert!(!same_text(A, v7, &mut Pairs::default()));
    assert!(!same_text(A, &A.replace('a', "A"), &mut Pairs::default()));
}

#[test]
fn one_database_leaves_nothing_to_match() {
    let mut pairs = Pairs::literal();
    assert!(same_text(A, A, &mut pairs) && !same_text(A, B, &mut pairs));
    let (a, b) = ("2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z");
    assert!(!same_text(a, b, &mut pairs));
}

#[test]
fn ids_of_many_formats_are_known() {
    for (a, b) in [
        ("0123456789ABCDEFABCDEFGHJK", "0123456789ABCDEFABCDEFGHJM"),
        ("507f1f77bcf86cd799439011", "507f1f77bcf86cd799439012"),
        ("AAAAAAAA-0000-4000-8000-00000000000A", "BBBBBBBB-0000-4000-8000-00000000000B"),
        ("aaaaaaaa000040008000000000000001", "bbbbbbbb000040008000000000000001"),
        (
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-1af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-01",
        ),
    ] {
        assert!(same_text(a, b, &mut Pairs::default()), "{a} and {b}");
    }
}

/// A time so many seconds from now.
fn at(seconds: i64, format: &str) -> String {
    let time = chrono::DateTime::from_timestamp_millis(time::now() + seconds * 1000).unwrap();
    time.format(format).to_string()
}

/// Numbers since 1970, from seconds to nanoseconds.
#[test]
fn every_unit_of_a_time_is_held_to_the_window() {
    for zeros in [0, 3, 6, 9] {
        let at = |seconds: i64| {
            let now = (time::now() / 1000 + seconds).to_string();
            now + &"123456789"[..zeros]
        };
        let same = |a: &str, b: &str| same_text(a, b, &mut Pairs::starting_now());
        assert!(same(&at(1), &at(2)), "{}", at(1));
        assert!(!same(&at(1), &at(3601)), "{}", at(1));
        assert!(!same(&at(1), &(at(1) + "000")), "another unit");
    }
    assert!(!same_text("1795744842053802", "17957448420538021", &mut Pairs::default()));
}

#[test]
fn times_are_held_to_a_window() {
    let format = "%Y-%m-%dT%H:%M:%S%.6f+00:00";
    let same = |a: &str, b: &str| same_text(a, b, &mut Pairs::starting_now());
    assert!(same(&at(1, format), &at(2, format)));
    assert!(same(&at(1801, format), &at(1800, format)), "an expiry");
    assert!(!same(&at(10, format), &at(3610, format)), "an hour off");
    assert!(!same(&at(10, format), &at(310, format)), "another expiry");
    assert!(same(&at(-60, format), &at(-65, format)), "as the services started");
    assert!(!same("2026-01-01T10:00:00Z", "2026-01-01T10:00:01Z"), "given to both");
    assert!(!same("2026-01-01T10:00:00Z", "9999-99-99T99:99:99Z"));
    assert!(!same("2026-01-01T10:00:00+00:00", "2026-01-01T10:00:00+02:00"));
    assert!(same(&at(1, "%s"), &at(2, "%s")) && !same(&at(1, "%s"), &at(60, "%s")));
    let http = "%a, %d %b %Y %H:%M:%S GMT";
    assert!(same(&at(1, http), &at(2, http)) && !same(&at(1, http), &at(60, http)));
}

#[test]
fn whole_seconds_are_shared_by_events() {
    let mut pairs = Pairs::starting_now();
    let format = "%Y-%m-%dT%H:%M:%SZ";
    let [a, b, c] = [1, 2, 3].map(|seconds| at(seconds, format));
    assert!(same_text(&a, &b, &mut pairs) && same_text(&b, &c, &mut pairs));
    assert!(same_text(&b, &b, &mut pairs));
}

#[test]
fn exact_times_stand_for_one_another() {
    let mut pairs = Pairs::starting_now();
    let format = "%Y-%m-%dT%H:%M:%S%.6fZ";
    let (a, b, c) = (at(1, format), at(2, format), at(3, format));
    assert!(same_text(&a, &b, &mut pairs) && !same_text(&a, &c, &mut pairs));
}

#[test]
fn captured_values_stand_in_their_place() {
    let mut pairs = Pairs::default();
    pairs.capture("id", "7", "8");
    for (a, b, same) in [
        (r#"{"id":7}"#, r#"{"id":8}"#, true),
        (r#"{"order_id": 7}"#, r#"{"order_id": 8}"#, true),
        (r#"{"failed":7}"#, r#"{"failed":8}"#, false),
        (r#"{"id":7}"#, r#"{"id":9}"#, false),
        ("/items/7", "/items/8", true),
        ("7 items", "8 items", false),
    ] {
        assert_eq!(same_text(a, b, &mut pairs), same, "{a} and {b}");
    }
}

#[test]
fn keys_of_sessions_stand_for_one_another() {
    let mut pairs = Pairs::default();
    let (one, other) =
        ("sid=f0e1d2c3b4a5968778695a4b3c2d1e0f", "sid=00112233445566778899aabbccddeeff");
    let with = |cookie: &str| format!("{cookie}; HttpOnly; Path=/; SameSite=lax");
    assert!(same_cookie(&with(one), &with(other), &mut pairs));
    assert!(!same_cookie(&with(one), &with(one), &mut pairs), "it stands for another");
    for changed in [
        "theme=00112233445566778899aabbccddee00; HttpOnly; Path=/; SameSite=lax",
        "sid=00112233445566778899aabbccddee00; Path=/; SameSite=lax",
        "sid=00112233445566778899aabbccdd; HttpOnly; Path=/; SameSite=lax",
        "sid=AZ112233445566778899aabbccddee00; HttpOnly; Path=/; SameSite=lax",
        "sid=; HttpOnly; Path=/; SameSite=lax",
    ] {
        assert!(!same_cookie(&with("sid=f0e1d2c3b4a5968778695a4b3c2d1e00"), changed, &mut pairs));
    }
    let mut pairs = Pairs::default();
    let signed = |user: u8, key: &str| format!("s=eyJ1c2VyIjogM{user}x.aZ3kDQ.{key}");
    assert!(same_cookie(&signed(0, "Xy7_aB12cd34"), &signed(0, "Zw8-cD56ef78"), &mut pairs));
    assert!(!same_cookie(&signed(1, "Xy7_aB12cd35"), &signed(2, "Zw8-cD56ef79"), &mut pairs));
    assert!(!same_cookie("lang=de", "lang=en", &mut pairs));
}

#[test]
fn ids_after_the_name_of_their_kind_are_matched() {
    let mut pairs = Pairs::default();
    assert!(same_text("inv_a4f9ab72e8e2b1d8", "inv_0c1d2e3f4a5b6c7d", &mut pairs));
    assert!(!same_text("inv_a4f9ab72e8e2b1d8", "inv_0c1d2e3f4a5b6c7e", &mut pairs));
    assert!(!same_text("inv_b4f9ab72e8e2b1d8", "cus_0c1d2e3f4a5b6c7f", &mut pairs));
    assert!(!same_text("not_authenticated", "not_authorizationx", &mut pairs));
    assert!(!same_text("acc_a4f9ab72e8e2b1d8", "bad_0c1d2e3f4a5b6c7f", &mut pairs));
    for (a, b) in [
        ("cart_e41jrqx2db4p1aqzi86b", "cart_at7nhpbhpriihqka4uxg"),
        ("tsk_hmUhFYnrpApcpmvC", "tsk_nkVgXsjZjcrvKBXP"),
    ] {
        assert!(same_text(&format!("/{a}/x"), &format!("/{b}/x"), &mut pairs), "{a}");
        assert!(!same_text(a, &b.replace('X', "Y").replace("4ux", "4uy"), &mut pairs), "{a}");
    }
    for (a, b) in [
        ("error_invalidpassword", "error_invalidaccounts"),
        ("error_InvalidPassword", "error_InvalidAccounts"),
        ("next_pagetokenfirstx", "next_pagetokensecond"),
        ("demo_organisation1", "demo_organisation2"),
    ] {
        assert!(!same_text(a, b, &mut pairs), "{a}");
    }
}

#[test]
fn of_a_tokens_numbers_only_times_may_be_near_each_other() {
    let token = |claims: &str| {
        let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part(r#"{"alg":"HS256"}"#), part(claims), part("signature"))
    };
    let same =
        |one: &str, other: &str| same_token(&token(one), &token(other), &mut Pairs::default());
    assert!(same(r#"{"user_id":1,"exp":1700000000}"#, r#"{"user_id":1,"exp":1700000003}"#));
    assert!(same(r#"{"iat":1700000000.25}"#, r#"{"iat":1700000001.5}"#));
    assert!(!same(r#"{"user_id":1,"exp":1700000000}"#, r#"{"user_id":1,"exp":1700000100}"#));
    assert!(!same(r#"{"user_id":1,"exp":1700000000}"#, r#"{"user_id":2,"exp":1700000000}"#));
    assert!(!same(r#"{"level":3}"#, r#"{"level":4}"#));
}
