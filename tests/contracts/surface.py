"""The doors that ask for no permission, named one by one: a new one is put here on purpose, or its operation asks for one."""

PUBLIC = frozenset(
    {
        *(
            "login",
            "open_cookie_session",
            "refresh",
            "logout",
            "close_cookie_session",
            "register",
            "verify_email",
            "forgot_password",
            "reset_password",
        ),
        *("register_business", "register_page", "register_submit", "open_file", "read_code_place", "read_calendar"),
        *("enrol_device", "hear_device", "take_webhook", "take_door_scans", "read_door_snapshot", "list_pass_keys"),
        *(
            "welcome",
            "sign_in_page",
            "sign_in_submit",
            "sign_out",
            "forgot_page",
            "forgot_submit",
            "reset_page",
            "reset_submit",
        ),
        *("challenge_passkey", "open_passkey_session", "finish_cookie_session", "finish_login", "second_step_submit"),
        *("look_at_invitation", "accept_invitation", "invitation_link", "invitation_accept"),
        *("verify_page", "verify_submit", "gallery_page", "patron_home", "patron_view", "patron_code", "door_page"),
        *("patron_venues", "patron_credits", "patron_receipt", "patron_pay"),
        *("patron_venue", "read_start", "read_push_key", "open_accent", "open_logo", "preview_accent"),
        *("end_looking", "looking_end"),
    }
)
"""Open to everybody, signed in or not."""

SIGNED_IN = frozenset(
    {
        *(
            "read_me",
            "read_preferences",
            "save_preferences",
            "save_name",
            "change_email",
            "send_verification",
            "change_password",
        ),
        "read_looking",
        *("list_sessions", "revoke_session", "revoke_other_sessions", "logout_all"),
        *("switch", "switch_cookie_session", "switch_place", "switch_venue"),
        *("account_page", "preferences_submit", "password_submit", "session_end", "sign_out_everywhere"),
        *("email_submit", "email_link", "sign_out_others"),
        *("read_second_factor", "set_up_second_factor", "confirm_second_factor", "prove_second_factor"),
        *("renew_recovery_codes", "remove_second_factor"),
        *(
            "list_passkeys",
            "begin_passkey",
            "keep_passkey",
            "challenge_own_passkey",
            "rename_passkey",
            "remove_passkey",
        ),
        *("security_page", "authenticator_submit", "authenticator_confirm", "authenticator_remove", "codes_renew"),
        *("proof_submit", "passkey_submit", "passkey_rename", "passkey_remove"),
        *("add_push_subscription", "list_push_subscriptions", "remove_push_subscription", "try_push_subscription"),
        *("notifications_page", "push_devices", "push_device_try", "push_device_remove", "push_kinds_submit"),
        *("go_page", "list_enabled", "upload_image", "upload_logo"),
        *("read_event_stream", "list_modules", "upload_file", "read_file", "platform_page"),
        *("list_views", "create_view", "delete_view", "views_menu", "view_submit", "view_remove"),
    }
)
"""Open to everybody who is signed in: they touch only what is one's own."""

HELD_BY_NO_PRESET = {
    "platform.settings.manage": "the platform's parameters hold for every business: super admins alone set them",
    "platform.keys.manage": "a rotation and signing everybody out concern every business: super admins alone do it",
    "platform.push.manage": "a new key reaches every device that is told anything: super admins alone make it",
}
"""Permissions that no built-in role but the super admin's names, each with its reason."""
