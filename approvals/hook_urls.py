from django.urls import path

from approvals import hook_views as views

urlpatterns = [
    path("", views.list_hooks, name="hooks"),
    path("<uuid:hook_id>/", views.hook, name="hook"),
    path("<uuid:hook_id>/switch/", views.switch, name="switch_hook"),
    path("<uuid:hook_id>/delete/", views.delete, name="delete_hook"),
    path("<uuid:hook_id>/test/", views.test, name="test_hook"),
    path("deliveries/<uuid:delivery_id>/", views.delivery, name="delivery"),
    path("deliveries/<uuid:delivery_id>/resend/", views.resend, name="resend"),
]
